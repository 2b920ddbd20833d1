interface Stoppable {
  stop(): Promise<unknown>;
}

/** Starts a service that ends with its user. */
export type Open = <S extends Stoppable>(starting: Promise<S>) => Promise<S>;

/** Lends services to `use` and stops them afterwards, the last one first, however `use` ends. */
export async function withServices<T>(use: (open: Open) => Promise<T>): Promise<T> {
  const opened: Stoppable[] = [];
  try {
    return await use(async (starting) => {
      const service = await starting;
      opened.unshift(service);
      return service;
    });
  } finally {
    for (const service of opened) await service.stop();
  }
}
