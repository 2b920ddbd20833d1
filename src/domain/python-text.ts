/** A value of Python's JSON: an integer is a bigint here and a float a number, since Python tells `1` from `1.0`. */
export type PythonJson =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly PythonJson[]
  | { readonly [key: string]: PythonJson };

/** A float as Python's `repr` prints it: `1.0`, `1e-05`, `1e+20`. Not JSON for NaN (`nan`) and infinities (`inf`). */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
}

const FLOAT_LITERALS: Readonly<Record<string, string>> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' };

export interface PythonJsonStyle {
  /** `", "` and `": "`, Python's default, instead of `","` and `":"`. */
  readonly spaced?: boolean;
  readonly sortKeys?: boolean;
}

/** JSON as Python's `json.dumps` writes it: escapes for all but ASCII, bare `NaN` and `Infinity`. */
export function pythonJson(value: PythonJson, style: PythonJsonStyle = {}): string {
  const [comma, colon] = style.spaced ? [', ', ': '] : [',', ':'];
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return FLOAT_LITERALS[pythonFloat(value)] ?? pythonFloat(value);
  if (typeof value === 'string') return asciiJson(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: PythonJson) => pythonJson(item, style)).join(comma)}]`;
  const entries = Object.entries(value);
  if (style.sortKeys) entries.sort(([a], [b]) => Number(a > b) - Number(a < b));
  return `{${entries.map(([key, item]) => `${asciiJson(key)}${colon}${pythonJson(item, style)}`).join(comma)}}`;
}

const asciiJson = (text: string) =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (char) =>
    char === '\u007f' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A value as Python's `repr` prints it: `'a'`, `None`, `{'a': [1, 2.0]}`. MLflow's messages hold such. */
export function pythonRepr(value: PythonJson): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return pythonFloat(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return quoted(value, (plain) => plain.replace(/[\\\p{C}\p{Z}]/gu, escapeChar));
  if (Array.isArray(value)) return `[${value.map((item: PythonJson) => pythonRepr(item)).join(', ')}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([key, item]) => `${pythonRepr(key)}: ${pythonRepr(item)}`).join(', ')}}`;
}

/** Bytes as Python's `repr` prints them: `b'\\xff'`. */
export const pythonBytes = (bytes: Buffer): string =>
  `b${quoted(bytes.toString('latin1'), (plain) => plain.replace(/[^ -[\]-~]/g, escapeChar))}`;

function quoted(text: string, withEscapes: (text: string) => string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return `${quote}${withEscapes(text).replaceAll(quote, `\\${quote}`)}${quote}`;
}

function escapeChar(char: string): string {
  if (char === ' ') return char;
  const code = char.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).padStart(digits, '0');
  return ESCAPES[char] ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
}

/** Length as Python counts it, in code points. */
export const pythonLength = (text: string): number => (isNarrow(text) ? text.length : [...text].length);

/** The first `length` code points. */
export const pythonCut = (text: string, length: number): string =>
  text.length <= length ? text : isNarrow(text) ? text.slice(0, length) : [...text].slice(0, length).join('');

const isNarrow = (text: string) => !/[\ud800-\udfff]/.test(text);
