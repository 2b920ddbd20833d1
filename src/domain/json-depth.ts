const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;
/** A closing one comes two after it in ASCII. */
const CLOSING = 2;

/**
 * Whether a JSON text is nested deeper than this. What reads JSON takes far longer over a nested text than over a flat one of its
 * length, or gives up; counting takes milliseconds a megabyte.
 */
export function nestsDeeperThan(limit: number, text: Uint8Array): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (isString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === BRACKET || byte === BRACE) {
      if (++depth > limit) return true;
    } else if (byte === BRACKET + CLOSING || byte === BRACE + CLOSING) depth--;
  }
  return false;
}
