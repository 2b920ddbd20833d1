import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** The names that MLflow reserves for uploads under way (`local_artifact_repo.py`), so that one folder can serve both. */
const PREFIX = '.artifact.uploading.';

export const isStaged = (name: string): boolean => name.startsWith(PREFIX);

export const stagedName = (folder: string): string => join(folder, `${PREFIX}${randomUUID()}`);

export const reservedMessage = (name: string): string =>
  `Invalid artifact file name: '${name}'. Artifact names starting with '${PREFIX}' are reserved.`;
