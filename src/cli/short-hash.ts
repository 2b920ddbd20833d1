import { hash } from 'node:crypto';

/** For names of files and keys. */
export const shortHash = (text: string): string => hash('sha256', text).slice(0, 12);
