import { type Answer, ask, pageOf } from './compare-answers.ts';
import { type Known, makeSearch, type SearchPlan } from './make-search.ts';
import { Random } from './random.ts';

/** The servers of one comparison. The first is the truth. */
export interface Contestants {
  readonly mlflow: string;
  /** Gateways by name, asked at the same time. */
  readonly gateways: Readonly<Record<string, string>>;
  /** Gateways by name, asked after all the others: a cache has the answer by then. */
  readonly repeats: Readonly<Record<string, string>>;
  /** What sets a gateway's answer apart from the truth; undefined when nothing does. */
  differenceOf(expected: Answer, actual: Answer): string | undefined;
}

export interface Tally {
  readonly searches: number;
  /** Pages that MLflow answered with 200. */
  readonly validPages: number;
  /** Of those, how many each gateway took from where: `indexed: { index: 990 }`. */
  readonly sources: Readonly<Record<string, Record<string, number>>>;
  readonly differences: readonly string[];
}

/** Enough to see what is wrong. */
const MOST_DIFFERENCES = 20;

const PREFIXES = ['/api/2.0', '/api/2.0', '/ajax-api/2.0'];

/** Asks `n` searches of all contestants, page by page, each following its own tokens. */
export async function runSeed(
  { mlflow, gateways, repeats, differenceOf }: Contestants,
  known: Known,
  seed: number,
  n: number,
  onProgress: (done: number) => void,
  make: (random: Random, known: Known) => SearchPlan = makeSearch,
): Promise<Tally> {
  const random = new Random(seed);
  const differences: string[] = [];
  const sources: Record<string, Record<string, number>> = Object.fromEntries(
    Object.keys({ ...gateways, ...repeats }).map((name) => [name, {}]),
  );
  let validPages = 0;

  async function comparePages({ body, pages }: SearchPlan): Promise<void> {
    const prefix = random.pick(PREFIXES);
    const bodies: Record<string, unknown> = Object.fromEntries(
      ['mlflow', ...Object.keys(sources)].map((name) => [name, body]),
    );
    const askAll = (urls: Readonly<Record<string, string>>) =>
      Promise.all(
        Object.entries(urls).map(async ([name, url]) => [name, await ask(url, bodies[name], prefix)] as const),
      );
    const before = differences.length;
    for (let page = 1; page <= pages; page++) {
      const [expected, first] = await Promise.all([ask(mlflow, bodies.mlflow, prefix), askAll(gateways)]);
      const answers = [...first, ...(await askAll(repeats))];
      if (expected.status === 200) validPages++;
      for (const [name, answer] of answers) note(name, page, expected, answer, bodies[name]);
      const { next_page_token: token } = pageOf(expected);
      if (token === undefined || differences.length > before) return;
      bodies.mlflow = { ...body, page_token: token };
      for (const [name, answer] of answers) bodies[name] = { ...body, page_token: pageOf(answer).next_page_token };
    }
  }

  function note(name: string, page: number, expected: Answer, answer: Answer, body: unknown): void {
    const counts = sources[name] ?? {};
    if (expected.status === 200) counts[answer.source ?? 'none'] = (counts[answer.source ?? 'none'] ?? 0) + 1;
    const difference = differenceOf(expected, answer);
    if (difference)
      differences.push(`${name} (${answer.source}), page ${page}: ${JSON.stringify(body)}\n    ${difference}`);
  }

  for (let i = 0; i < n; i++) {
    await comparePages(make(random, known));
    if (differences.length >= MOST_DIFFERENCES) break;
    onProgress(i + 1);
  }
  return { searches: n, validPages, sources, differences };
}
