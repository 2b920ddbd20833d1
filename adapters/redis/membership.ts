import { setTimeout as sleep } from 'node:timers/promises';
import { ReplyError } from 'ioredis';
import { BEATS_A_LEASE, Lease } from './lease.ts';
import type { ScriptedRedis } from './scripted-redis.ts';
import type { ScriptName } from './scripts.ts';

/** Where and when a gateway takes part. */
export interface Place {
  /** Of Redis, in ms. */
  readonly clock: number;
  readonly life: string;
}

export interface MembershipOptions {
  readonly redis: ScriptedRedis;
  readonly leaseMs: number;
  /** The others look at least so often who is missing, in ms, and may believe it for as long. */
  readonly lookEveryMs: number;
  /** Asks for a lease, which Redis refuses to give later than one after `place`; and says all that is unsettled, in one turn. */
  register(place: Place): Promise<unknown>;
  /** Rejects as long as the others must miss this gateway in this life of Redis. */
  mayEnter?(life: string): Promise<void>;
  /** Called in the turn in which the lease was given. */
  onEntered(): Promise<void>;
  /** Has the lease prolonged. */
  report(): Promise<void>;
  /** Whether others take part. */
  hasCompany(): boolean;
  /** Told when this gateway can take part no more, and why; and when it can again. */
  onOutage?(error: Error | undefined): void;
}

/** Whether a gateway takes part in a ledger: it holds a lease, joins again when it was cut off, and says so. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #lease: Lease;
  readonly #closed = new AbortController();
  #entering: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  #joined = false;
  /** A registration is on its way: what is sent after it counts if it does. */
  #joining = false;
  /** It took part until it was to register anew. */
  #goesOn = false;
  /** To register was asked for while that was on its way: what was sent may have been too early. */
  #again = false;
  /** In ms of `performance.now()`. */
  #joinedAt = 0;
  #outage: string | undefined;
  #life: string | undefined;
  /** When nobody relies on this gateway any more in a life that it left, in ms of `performance.now()`. */
  #leftAt = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#lease = new Lease(options.leaseMs);
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** The life of Redis in which it took part last. */
  get life(): string | undefined {
    return this.#life;
  }

  /**
   * What a gateway that joined knows is all there is to know only after a lease: then the others were heard, or are missed.
   */
  get isTrusted(): boolean {
    return this.leases >= 1;
  }

  /** How many leases ago this gateway joined. */
  get leases(): number {
    return this.#joined ? (performance.now() - this.#joinedAt) / this.#options.leaseMs : 0;
  }

  /** Registers, from now on whenever it has to, or anew. */
  enter(): void {
    this.#goesOn = this.#joined;
    this.#joined = false;
    this.#joining = false;
    this.#again = this.#entering !== undefined;
    if (this.#beating !== undefined) void this.#enterOnce().catch((error: Error) => this.lose(error));
    else this.#beating = this.#beat();
  }

  /** Says something that the others must know; when that fails, waits until they see that this gateway is missing. */
  async tell(say: () => Promise<void>): Promise<void> {
    if (this.#joined || this.#joining)
      try {
        await say();
        return await this.untilLeft();
      } catch (error) {
        this.lose(error as Error);
      }
    await Promise.all([this.#untilMissed(0), this.untilLeft()]);
  }

  /** Returns when nobody relies on this gateway in another life than the one it takes part in. */
  async untilLeft(): Promise<void> {
    const leftMs = this.#leftAt - performance.now();
    if (leftMs > 0) await sleep(leftMs);
  }

  /** Takes part no more until it may enter again. Returns when the others have seen it. */
  async withdraw(reason: Error): Promise<void> {
    this.lose(reason);
    await Promise.all([this.#untilMissed(this.#options.lookEveryMs), this.untilLeft()]);
  }

  async #untilMissed(lookEveryMs: number): Promise<void> {
    const leftMs = this.#lease.leftMs + lookEveryMs;
    if (this.#options.hasCompany() && leftMs > 0) await sleep(leftMs);
  }

  /** @throws when this gateway does not take part, or no more. */
  async ask(name: ScriptName, ...args: string[]): Promise<unknown> {
    if (!this.#joined) throw new Error('This gateway is cut off from the others.');
    try {
      return await this.#options.redis.call(name, ...args);
    } catch (error) {
      this.lose(error as Error);
      throw error;
    }
  }

  /** From now on nothing is told or heard; the next beat registers again. */
  lose(error: Error): void {
    this.#joined = false;
    this.#joining = false;
    this.#goesOn = false;
    if (this.#closed.signal.aborted || error.message === this.#outage) return;
    this.#outage = error.message;
    this.#options.onOutage?.(error);
  }

  /** Takes its leave. */
  async close(): Promise<void> {
    this.#closed.abort();
    // A registration may be on its way.
    await Promise.allSettled([this.#beating, this.#entering]);
    if (this.#joined) await this.#options.redis.call('leave').catch(() => undefined);
    this.#joined = false;
  }

  async #beat(): Promise<void> {
    const { leaseMs, report } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        if (!this.#joined) await this.#enterOnce();
        else {
          this.#lease.prolong();
          await report();
          this.#lease.given();
        }
      } catch (error) {
        this.lose(error as Error);
      }
      await sleep(leaseMs / BEATS_A_LEASE, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #here(): Promise<Place> {
    const [clock, life] = (await this.#options.redis.call('clock')) as [number, string];
    return { clock, life };
  }

  #enterOnce(): Promise<void> {
    this.#entering ??= this.#enterUntilDone().finally(() => {
      this.#entering = undefined;
    });
    return this.#entering;
  }

  async #enterUntilDone(): Promise<void> {
    do {
      this.#again = false;
      await this.#enter();
    } while (this.#again && !this.#joined);
  }

  async #enter(): Promise<void> {
    const { redis, register, mayEnter, onEntered, onOutage, hasCompany, lookEveryMs } = this.#options;
    if (!this.#goesOn) await redis.load();
    const { life } = await this.#here();
    await mayEnter?.(life);
    const place = await this.#here();
    if (place.life !== life) throw new Error('Redis was replaced by another one a moment ago.');
    // Who has not left the life before may go on relying on this gateway there.
    if (this.#life !== undefined && this.#life !== life && hasCompany())
      this.#leftAt = performance.now() + this.#lease.leftMs + lookEveryMs;
    this.#lease.ask();
    this.#joining = true;
    await register(place).catch((error: unknown) => {
      if (error instanceof ReplyError) this.#lease.refused();
      throw error;
    });
    // Lost meanwhile, or to be done anew: what was noted since may be missing.
    if (!this.#joining) return;
    this.#joining = false;
    this.#joined = true;
    this.#life = life;
    this.#lease.given();
    if (!this.#goesOn) this.#joinedAt = performance.now();
    this.#goesOn = false;
    await onEntered();
    this.#outage = undefined;
    onOutage?.(undefined);
  }
}
