/** The id of the backend whose ids stay as they are outside. */
export const DEFAULT_BACKEND = 'default';

/** A backend as its ids and names look from outside. */
export interface Backend {
  /** `[a-z0-9]+`; `default` for the one whose ids stay bare. */
  readonly id: string;
  /** What names of its experiments begin with outside; nothing for the default backend. */
  readonly namePrefix: string;
}

/** What begins ids of MLflow's own (logged models, traces, evaluation datasets …): no backend may be called so. */
export const RESERVED_IDS: ReadonlySet<string> = new Set([
  DEFAULT_BACKEND,
  ...['a', 'ae', 'bp', 'd', 'dr', 'e', 'gr', 'iss', 'ls', 'm', 'rq', 's', 'tr'],
]);

/** Several backends, told apart by the ids and names that callers use. */
export class Backends {
  readonly all: readonly Backend[];
  readonly #others: ReadonlyMap<string, Backend>;

  /** @param others all but the default one */
  constructor(others: readonly Backend[]) {
    this.all = [{ id: DEFAULT_BACKEND, namePrefix: '' }, ...others];
    this.#others = new Map(others.map((backend) => [backend.id, backend]));
  }

  /** The backend that owns a run, an experiment or another thing with this public id. */
  ownerOf(publicId: string): string {
    const end = publicId.indexOf('-');
    const id = end > 0 ? publicId.slice(0, end) : '';
    return this.#others.has(id) ? id : DEFAULT_BACKEND;
  }

  /** The backend that an experiment of this public name is in, or would be. */
  ownerOfName(publicName: string): string {
    return this.#namedBy(publicName)?.id ?? DEFAULT_BACKEND;
  }

  /** Whether a name of the default backend's would be taken for one of another backend, and so has a prefix as well. */
  isTaken(name: string): boolean {
    return this.#namedBy(name) !== undefined;
  }

  #namedBy(name: string): Backend | undefined {
    return [...this.#others.values()].find(({ namePrefix }) => name.startsWith(namePrefix));
  }

  /** Whether a text, such as a body, may hold an id or a name of another backend than the default one. */
  isNamedIn(text: string): boolean {
    // Letters may be escaped, in JSON and in URLs.
    if (/[\\%]/.test(text)) return true;
    return [...this.#others.values()].some(
      ({ id, namePrefix }) => text.includes(`${id}-`) || text.includes(namePrefix),
    );
  }
}
