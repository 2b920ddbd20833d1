export interface BarRow {
  readonly label: string;
  /** Positive; one for each series, undefined where it has none. */
  readonly values: readonly (number | undefined)[];
}

export interface BarChart {
  readonly title: string;
  /** What a value is, for the axis. */
  readonly unit: string;
  /** At most four. */
  readonly series: readonly string[];
  readonly rows: readonly BarRow[];
}

const WIDTH = 910;
const LABELS = 300;
/** Room behind the longest bar for its value. */
const VALUES = 60;
const BAR = 10;
const ROW_GAP = 12;
const HEAD = 74;
const FOOT = 34;
const PLOT = WIDTH - LABELS - VALUES;

/** Told apart by lightness as well; each has enough contrast to its background. */
const LIGHT = ['#9a6700', '#0969da', '#1a7f37', '#8250df'];
const DARK = ['#d29922', '#58a6ff', '#56d364', '#bc8cff'];

const rules = (colours: readonly string[]) => colours.map((colour, i) => `.s${i}{fill:${colour}}`).join('');
const STYLE = `text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.value{font-size:10px}.axis{font-size:11px}
.back{fill:#ffffff}.grid{stroke:#d1d9e0}${rules(LIGHT)}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.back{fill:#0d1117}.grid{stroke:#3d444d}${rules(DARK)}}`;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string) => text.replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

const text = (x: number, y: number, content: string, attributes = '') =>
  `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
const round = (value: number) => Number(value.toFixed(1));

/** Three digits are as much as a measured time is worth. */
const printValue = (value: number) => String(Number(value.toPrecision(3)));

/** The powers of ten around all values. */
function decadesOf(rows: readonly BarRow[]): { readonly first: number; readonly last: number } {
  const powers = rows.flatMap(({ values }) => values.flatMap((value) => (value ? [Math.log10(value)] : [])));
  const first = Math.floor(Math.min(...powers));
  return { first, last: Math.max(first + 1, Math.ceil(Math.max(...powers))) };
}

/** Horizontal bars on a logarithmic scale as an SVG document, for light and for dark pages. @throws RangeError without values. */
export function drawBarChart({ title, unit, series, rows }: BarChart): string {
  const { first, last } = decadesOf(rows);
  if (!Number.isFinite(first + last)) throw new RangeError('A chart needs a value.');
  const rowHeight = series.length * BAR + ROW_GAP;
  const bottom = HEAD + rows.length * rowHeight;
  const height = bottom + FOOT;
  const xOf = (value: number) => LABELS + ((Math.log10(value) - first) / (last - first)) * PLOT;
  const parts = [
    `<title>${escapeXml(title)}</title>`,
    `<style>${escapeXml(STYLE)}</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}"/>`,
    text(16, 26, title, ' class="title"'),
    ...series.map(drawKey),
    ...Array.from({ length: last - first + 1 }, (_, i) => drawDecade(10 ** (first + i), { xOf, bottom, unit })),
    ...rows.map((row, i) => drawRow(row, HEAD + i * rowHeight + ROW_GAP / 2, xOf)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
${parts.join('\n')}
</svg>
`;
}

const KEY_WIDTH = 190;

const drawKey = (name: string, i: number) =>
  `<rect class="s${i}" x="${16 + i * KEY_WIDTH}" y="42" width="12" height="12"/>${text(34 + i * KEY_WIDTH, 52, name)}`;

interface Axis {
  readonly xOf: (value: number) => number;
  readonly bottom: number;
  readonly unit: string;
}

function drawDecade(value: number, { xOf, bottom, unit }: Axis): string {
  const x = round(xOf(value));
  const line = `<line class="grid" x1="${x}" y1="${HEAD}" x2="${x}" y2="${bottom}"/>`;
  return line + text(x, bottom + 18, `${printValue(value)} ${unit}`, ' class="axis" text-anchor="middle"');
}

function drawRow({ label, values }: BarRow, top: number, xOf: Axis['xOf']): string {
  const middle = top + (values.length * BAR) / 2 + 4;
  const bars = values.map((value, i) => (value === undefined ? '' : drawBar(value, i, top + i * BAR, xOf)));
  return text(LABELS - 10, middle, label, ' text-anchor="end"') + bars.join('');
}

function drawBar(value: number, i: number, y: number, xOf: Axis['xOf']): string {
  const end = xOf(value);
  const width = round(Math.max(1, end - LABELS));
  const bar = `<rect class="s${i}" x="${LABELS}" y="${round(y)}" width="${width}" height="${BAR - 1}"/>`;
  return bar + text(end + 4, y + BAR - 1.5, printValue(value), ' class="value"');
}
