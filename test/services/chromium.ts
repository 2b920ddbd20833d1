import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';

/** The path of a Chromium, for the browser that `playwright-core` drives. */
export const installChromium = (): Promise<string> =>
  ensureProgram('chromium', () => findProgram(['chromium', 'chromium-browser', 'google-chrome']));
