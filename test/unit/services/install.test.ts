import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { installOnce } from '../../services/install.ts';

const INSTALL = join(import.meta.dirname, '../../services/install.ts');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-install-'));
  vi.stubEnv('TEST_SERVICES_DIR', folder);
  vi.spyOn(console, 'error').mockReturnValue();
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Installs `thing` by writing its recipe into a file. */
const install = (recipe: string) =>
  installOnce('thing', recipe, async (into) => writeFileSync(join(into, 'content'), recipe, { flag: 'wx' }));

const content = (into: string) => readFileSync(join(into, 'content'), 'utf8');

it('installs what is not there, and reuses it', async () => {
  expect(content(await install('thing 1'))).toBe('thing 1');
  const again = installOnce('thing', 'thing 1', () => Promise.reject(new Error('installed a second time')));
  expect(content(await again)).toBe('thing 1');
});

it('installs another version over the one that is there', async () => {
  await install('thing 1');
  expect(content(await install('thing 2'))).toBe('thing 2');
});

it('begins anew after an install that broke off', async () => {
  const half = installOnce('thing', 'thing 1', async (into) => {
    writeFileSync(join(into, 'content'), 'half');
    throw new Error('no network');
  });
  await expect(half).rejects.toThrow('no network');
  expect(content(await install('thing 1'))).toBe('thing 1');
});

it('lets one of several processes install while the others wait', async () => {
  const script = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    const { installOnce } = await import(${JSON.stringify(INSTALL)});
    const into = await installOnce('thing', 'thing 1', async (into) => {
      appendFileSync(into + '.log', 'begin ');
      await sleep(300);
      appendFileSync(into + '.log', 'end ');
    });
    process.stdout.write(into);
  `;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const results = await Promise.all([run(), run(), run()]);
  expect(results.map(({ stdout }) => stdout)).toEqual(Array(3).fill(join(folder, 'thing')));
  expect(readFileSync(join(folder, 'thing.log'), 'utf8')).toBe('begin end ');
});
