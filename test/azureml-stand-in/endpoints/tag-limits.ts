import { type AzureError, refusal } from '../azure-error.ts';
import type { Pair, Run } from '../present-run.ts';
import type { Rules } from '../rules.ts';

const LIMIT = { tags: 50, key: 100, value: 1_000 } as const;

/** @throws AzureError */
export function checkTags(tags: readonly Pair[], { tagLimits }: Rules): void {
  if (!tagLimits) return;
  const count = new Set(tags.map(({ key }) => key)).size;
  if (count > LIMIT.tags) throw overLimit('Tags', LIMIT.tags, count);
  for (const { key, value } of tags) {
    if (key.length > LIMIT.key) throw overLimit('Tags.Key', LIMIT.key, key.length);
    if (value.length > LIMIT.value) throw overLimit('Tags.Value', LIMIT.value, value.length);
  }
}

/** Those that a run would then have. @throws AzureError */
export const checkTagsOf = ({ data }: Run, added: readonly Pair[], rules: Rules): void =>
  checkTags([...(data.tags ?? []), ...added], rules);

export const overLimit = (field: string, limit: number, size: number): AzureError =>
  refusal(`A field of the entity is over the size limit. FieldName=${field}, Limit=${limit}, Size=${size}`, {
    code: 'ValidationError',
    errorCode: 'BAD_REQUEST',
  });
