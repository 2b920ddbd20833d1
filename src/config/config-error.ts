export interface Problem {
  /** The key, with where it was given when that was not the file: `listen.port (GATEWAY_LISTEN_PORT)`. */
  readonly path: string;
  readonly message: string;
}

/** Every problem at once: nobody should restart four times to fix four typos. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.problems = problems;
  }
}
