import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** One answered request. */
export interface Observation {
  /** `runs/search`, another native endpoint, an old request such as `metrics/get`, `write`, `gateway`, or `pass-through`. */
  readonly route: string;
  /** Who computed the answer; empty where that is not a question. */
  readonly source: string;
  readonly cache: string;
  readonly status: number;
  readonly seconds: number;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

const STATES = ['closed', 'half-open', 'open'] as const;
type BreakerState = (typeof STATES)[number];

interface Series {
  readonly labels: Readonly<Record<'route' | 'source' | 'cache' | 'status', string>>;
  count: number;
  /** Absent where it is not timed. */
  readonly seconds: Histogram.Internal<'route' | 'source'> | undefined;
}

/** A process that serves beside others. */
export interface MetricsWorker {
  readonly number: number;
  /** The metrics of all of them; undefined when they do not come in time. */
  gatherMetrics(): Promise<string | undefined>;
}

/** What `/gateway/metrics` shows: of several workers all, each series with its `worker`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #worker: MetricsWorker | undefined;
  /** Counted by hand on the way of every request: finding a series by its labels costs more than proxying a header. */
  readonly #requests = new Map<string, Series>();
  readonly #seconds = new Histogram({
    name: 'gateway_request_seconds',
    help: 'Time from a request to the end of its answer, by route and by who computed it; not of what only passes through.',
    labelNames: ['route', 'source'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #handedOn = new Counter({
    name: 'gateway_handed_on_total',
    help: 'Requests to native endpoints that the backend answered from their original bytes, by the reason.',
    labelNames: ['route', 'reason'],
    registers: [this.#registry],
  });
  readonly #indexFailures = new Counter({
    name: 'gateway_index_failures_total',
    help: 'Searches that the index should have answered and did not.',
    registers: [this.#registry],
  });

  readonly #drift = new Counter({
    name: 'gateway_index_drift_runs_total',
    help: 'Runs that were written past the gateway and then repaired in the index, by how it differed: missing, changed, gone.',
    labelNames: ['kind'],
    registers: [this.#registry],
  });

  constructor(worker?: MetricsWorker) {
    this.#worker = worker;
    collectDefaultMetrics({ register: this.#registry });
    if (worker) this.#share(worker.number);
    const series = this.#requests;
    new Counter({
      name: 'gateway_requests_total',
      help: 'Requests by route, by who computed the answer, by what became of it in the cache, and by status.',
      labelNames: ['route', 'source', 'cache', 'status'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, count } of series.values()) this.inc(labels, count);
      },
    });
  }

  readonly contentType = this.#registry.contentType;

  observe({ route, source, cache, status, seconds }: Observation): void {
    const key = `${route} ${source} ${cache} ${status}`;
    const series = this.#requests.get(key) ?? this.#begin(key, { route, source, cache, status: String(status) });
    series.count++;
    series.seconds?.observe(seconds);
  }

  #begin(key: string, labels: Series['labels']): Series {
    const { route, source } = labels;
    const series = {
      labels,
      count: 0,
      seconds: route === 'pass-through' ? undefined : this.#seconds.labels(route, source),
    };
    this.#requests.set(key, series);
    return series;
  }

  handedOn(route: string, reason: string): void {
    this.#handedOn.labels(route, reason).inc();
  }

  indexFailed(): void {
    this.#indexFailures.inc();
  }

  drifted(kind: string, runs: number): void {
    this.#drift.labels(kind).inc(runs);
  }

  /** Adds a gauge that is read at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    const registers = [this.#registry];
    new Gauge({
      name,
      help,
      registers,
      collect: function () {
        this.set(read());
      },
    });
  }

  /** Adds a gauge that is read at each scrape, one for each breaker. */
  breakers(breakers: readonly { readonly name: string; readonly status: { readonly state: BreakerState } }[]): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'gateway_breaker_state',
      help: 'Whether a dependency is asked: 0 closed, it is; 1 half-open, it is being probed; 2 open, it is left alone.',
      labelNames: ['dependency'],
      registers,
      collect: function () {
        for (const { name, status } of breakers) this.set({ dependency: name }, STATES.indexOf(status.state));
      },
    });
  }

  /** The text that Prometheus scrapes. */
  async render(): Promise<string> {
    return (await this.#worker?.gatherMetrics()) ?? this.#registry.metrics();
  }

  /** Lets the first process ask for what is here. The label keeps series apart: a sum of gauges would say nothing. */
  #share(worker: number): void {
    this.#registry.setDefaultLabels({ worker });
    // Left out where processes are added up.
    Object.assign(this.#registry.getSingleMetric('process_start_time_seconds') ?? {}, { aggregator: 'first' });
    AggregatorRegistry.setRegistries(this.#registry);
  }
}
