import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Claim, FeedLedger, LedgerMember, LedgerStatus, Notes, Successor } from '../../src/plan/feed-ledger.ts';
import type { WriteEffect } from '../../src/plan/write-effect.ts';
import { type LookReply, readNews } from './news.ts';
import { KEYS, SCRIPTS, type ScriptName } from './scripts.ts';

export interface RedisLedgerOptions {
  readonly url: string;
  readonly password?: string | undefined;
  readonly keyPrefix: string;
  /** What tells this index from others in the same Redis. */
  readonly scope: string;
  /** Stays the same for a gateway that still knows what it had noted before it died; by default a new one. */
  readonly id?: string | undefined;
  /** The epoch that this gateway kept the index in, for a Redis that knows of none: only if it kept it alone. */
  readonly epoch?: number | undefined;
  /** How long a gateway may be away before the others begin an epoch without it, in ms. */
  readonly absentMs: number;
  /** How long the others wait for a gateway that does not report, before they stop answering from the index, in ms. */
  readonly leaseMs?: number;
  /** Told whether others take part, whenever that changes. */
  onCompany?(others: boolean): void;
  /** Told when it can take part no more, and why; and when it can again. */
  onOutage?(error: Error | undefined): void;
}

const LEASE_MS = 1_500;
/** A gateway reports so many times a lease. */
const BEATS_A_LEASE = 5;
/** So that a gateway that died in the middle of copying does not hold a run for long. */
const CLAIM_MS = 10_000;
const COMMAND_MS = 500;
/** What two clocks may go apart in a lease, and timers be early, in ms. */
const CLOCKS_APART_MS = 20;
const FOR_GOOD = '9007199254740991';

/** A ledger in Redis, for every gateway that keeps the same index. */
export const openRedisLedger = (options: RedisLedgerOptions): FeedLedger => new RedisFeedLedger(options);

class RedisFeedLedger implements FeedLedger {
  readonly isShared = true;
  readonly #options: RedisLedgerOptions;
  readonly #redis: Redis;
  readonly #keys: readonly string[];
  readonly #id: string;
  readonly #leaseMs: number;
  readonly #closed = new AbortController();
  #member: LedgerMember | undefined;
  #successor: Successor | undefined;
  /** It took part until it went on with another index. */
  #wentOn = false;
  #entering: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  #joined = false;
  /** A registration is on its way: what is sent after it counts if it does. */
  #joining = false;
  /** Times are those of `performance.now()`. */
  #joinedAt = 0;
  #heardAt: number | undefined;
  /** When the others have surely seen that our lease is over, if nothing more is heard from us. */
  #leaseOver = 0;
  #members: readonly string[] = [];
  #arrivals: number | undefined;
  /** What was told of others taking part. */
  #company: boolean | undefined;
  /** Gateways whose lease was over at the last look. */
  #missing = 0;
  #epoch: number | undefined;
  #leads = false;
  #voiding = false;
  #position = 0;
  /** Everything has to be heard from the beginning. */
  #isAfresh = true;
  /** Marks of what this gateway noted or settled itself, until they are heard. */
  readonly #own = new Map<string, number>();
  /** Experiments whose doubt is on its way, and how many times. */
  readonly #onTheWay = new Map<string, number>();
  readonly #doubts = new Map<string, number>();
  readonly #claimed = new Map<string, string>();
  #outage: string | undefined;

  constructor(options: RedisLedgerOptions) {
    this.#options = options;
    this.#id = options.id ?? randomUUID();
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#epoch = options.epoch;
    const slot = `{${options.keyPrefix}:feed:v1:${options.scope}}`;
    this.#keys = KEYS.map((key) => `${slot}:${key}`);
    this.#redis = new Redis(options.url, {
      ...(options.password !== undefined && { password: options.password }),
      commandTimeout: COMMAND_MS,
      // Nothing waits for a connection, and nothing is sent twice: what could not be said now is said when it joins again.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      socketTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000),
    });
    this.#redis.on('error', (error: Error) => this.#lose(error));
    this.#redis.on('close', () => this.#lose(new Error('The connection to Redis is closed.')));
  }

  get joined(): boolean {
    return this.#joined;
  }

  get leads(): boolean {
    return this.#leads;
  }

  get epoch(): number | undefined {
    return this.#voiding ? undefined : this.#epoch;
  }

  get newsAgeMs(): number | undefined {
    return this.#isTrusted() && this.#missing === 0 && this.#heardAt !== undefined
      ? performance.now() - this.#heardAt
      : undefined;
  }

  get solitude(): number | undefined {
    return this.#hasCompany ? undefined : this.#arrivals;
  }

  join(member: LedgerMember, successor?: Successor): void {
    this.#member = member;
    this.#successor = successor;
    this.#wentOn = this.#joined;
    this.#heardAt = undefined;
    this.#joined = false;
    this.#joining = false;
    if (this.#beating !== undefined) void this.#enterOnce().catch((error: Error) => this.#lose(error));
    else this.#beating = this.#beat();
  }

  async begin(epoch: number): Promise<boolean> {
    const begun = await this.#ask('begin', String(this.#epoch ?? ''), String(epoch));
    if (begun === 1) this.#epoch = epoch;
    return begun === 1;
  }

  async void(): Promise<void> {
    this.#voiding = true;
    await this.#tell(() => this.#void());
  }

  async note(notes: Notes): Promise<void> {
    const items = this.#itemsOf(notes);
    if (items.length === 0) return;
    const names = items.filter((_, i) => i % 2 === 0);
    for (const name of names) this.#onTheWay.set(name, (this.#onTheWay.get(name) ?? 0) + 1);
    await this.#tell(async () => {
      const mark = Number(await this.#call('noteAll', ...items));
      for (const name of names) {
        this.#own.set(name, mark);
        if (name.startsWith('x:')) this.#doubts.set(name, mark);
      }
    });
    for (const name of names) {
      const left = (this.#onTheWay.get(name) ?? 1) - 1;
      if (left === 0) this.#onTheWay.delete(name);
      else this.#onTheWay.set(name, left);
    }
  }

  async catchUp(): Promise<boolean> {
    if (!this.#isTrusted()) return false;
    try {
      await this.#look(0);
    } catch {
      return false;
    }
    return this.#isTrusted() && this.#missing === 0;
  }

  async claim(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
    const marks = (await this.#ask('claim', String(CLAIM_MS), ...runIds)) as string[];
    return new Map(
      runIds.map((runId, i): [string, Claim] => {
        const mark = marks[i] ?? '0';
        if (mark === '0') return [runId, 'settled'];
        if (mark === '-1') return [runId, 'others'];
        this.#claimed.set(runId, mark);
        return [runId, 'mine'];
      }),
    );
  }

  async settle(runIds: readonly string[], writtenExperiments: readonly string[]): Promise<void> {
    const items = runIds.flatMap((runId) => [`r:${runId}`, this.#claimed.get(runId) ?? '0']);
    for (const runId of runIds) this.#claimed.delete(runId);
    const mark = Number(await this.#ask('settle', String(writtenExperiments.length), ...writtenExperiments, ...items));
    for (const id of writtenExperiments) this.#own.set(`w:${id}`, mark);
  }

  async release(runIds: readonly string[]): Promise<void> {
    for (const runId of runIds) this.#claimed.delete(runId);
    await this.#ask('release', ...runIds).catch(() => undefined);
  }

  async trust(experimentId: string): Promise<void> {
    const item = `x:${experimentId}`;
    const mark = this.#doubts.get(item);
    if (mark !== undefined) await this.#ask('settle', '0', item, String(mark)).catch(() => undefined);
  }

  async makeCertain(name: string): Promise<void> {
    await this.#ask('settle', '0', this.#nameOf(name), FOR_GOOD).catch(() => undefined);
  }

  status(): LedgerStatus {
    const [replicas, missing] = this.#joined ? [this.#members.length, this.#missing] : [0, 0];
    return { replicas, missing, leads: this.#leads };
  }

  async close(): Promise<void> {
    if (this.#joined) await this.#call('leave').catch(() => undefined);
    this.#closed.abort();
    this.#joined = false;
    await this.#beating;
    this.#redis.disconnect();
  }

  #tellCompany(): void {
    const company = this.#hasCompany;
    if (company !== this.#company) this.#options.onCompany?.(company);
    this.#company = company;
  }

  /** As last heard. */
  get #hasCompany(): boolean {
    return this.#members.some((member) => member !== this.#id);
  }

  #nameOf(write: string): string {
    return `u:${this.#id}:${write}`;
  }

  #itemsOf({ runs = [], doubted = [], created = [], uncertain = new Map() }: Notes): string[] {
    return [
      ...runs.flatMap(({ runId, experimentId = '' }) => [`r:${runId}`, experimentId]),
      ...doubted.flatMap((id) => [`x:${id}`, '']),
      ...created.flatMap((id) => [`c:${id}`, '']),
      ...[...uncertain].flatMap(([name, effect]) => [this.#nameOf(name), JSON.stringify(effect)]),
    ];
  }

  /**
   * What a gateway that joined knows is all there is to know only after a lease: then the others were heard, or are missed.
   */
  #isTrusted(): boolean {
    return this.#joined && !this.#voiding && performance.now() - this.#joinedAt >= this.#leaseMs;
  }

  /** Says something that the others must know; when that fails, waits until they see that this gateway is missing. */
  async #tell(say: () => Promise<void>): Promise<void> {
    if (this.#joined || this.#joining)
      try {
        return await say();
      } catch (error) {
        this.#lose(error as Error);
      }
    const leftMs = this.#leaseOver + CLOCKS_APART_MS - performance.now();
    if (this.#hasCompany && leftMs > 0) await sleep(leftMs);
  }

  async #ask(name: ScriptName, ...args: string[]): Promise<unknown> {
    if (!this.#joined) throw new Error('This gateway is cut off from the others.');
    try {
      return await this.#call(name, ...args);
    } catch (error) {
      this.#lose(error as Error);
      throw error;
    }
  }

  #call(name: ScriptName, ...args: string[]): Promise<unknown> {
    return this.#redis.evalsha(HASHES[name], KEYS.length, ...this.#keys, this.#id, ...args);
  }

  /** From now on nothing is told or heard; the next beat joins again, with all that is unsettled. */
  #lose(error: Error): void {
    this.#joined = false;
    this.#joining = false;
    this.#wentOn = false;
    this.#heardAt = undefined;
    if (this.#closed.signal.aborted || error.message === this.#outage) return;
    this.#outage = error.message;
    this.#options.onOutage?.(error);
  }

  async #beat(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        if (!this.#joined) await this.#enterOnce();
        else await this.#report();
      } catch (error) {
        this.#lose(error as Error);
      }
      await sleep(this.#leaseMs / BEATS_A_LEASE, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #enterOnce(): Promise<void> {
    this.#entering ??= this.#enter().finally(() => {
      this.#entering = undefined;
    });
    return this.#entering;
  }

  async #enter(): Promise<void> {
    if (!this.#wentOn) for (const { lua } of SCRIPTS) await this.#redis.script('LOAD', lua);
    const clock = String(await this.#call('clock'));
    this.#leaseOver = Math.max(this.#leaseOver, performance.now() + 2 * this.#leaseMs);
    const others = this.#members.filter((other) => other !== this.#id);
    const member = this.#member;
    const { epoch = '', solitude = '' } = this.#successor ?? {};
    const begins = [this.#epoch ?? '', epoch, solitude, others.length, ...others].map(String);
    const notes = this.#itemsOf(member?.unsettled() ?? {});
    this.#joining = true;
    await this.#call('register', clock, String(this.#leaseMs), ...begins, ...notes);
    // Lost meanwhile, or another index: what was noted since may be missing.
    if (!this.#joining) return;
    this.#successor = undefined;
    this.#joining = false;
    this.#joined = true;
    this.#leaseOver = performance.now() + this.#leaseMs;
    if (!this.#wentOn) this.#joinedAt = performance.now();
    this.#wentOn = false;
    this.#isAfresh = true;
    if (this.#voiding) await this.#void();
    await this.#look(0);
    this.#outage = undefined;
    this.#options.onOutage?.(undefined);
  }

  async #report(): Promise<void> {
    this.#leaseOver += this.#leaseMs;
    await this.#look(this.#leaseMs);
    this.#leaseOver = performance.now() + this.#leaseMs;
    if (!this.#leads) return;
    const orphans = (await this.#call('forget', String(this.#options.absentMs))) as string[];
    for (const effect of orphans) this.#member?.adopt(JSON.parse(effect) as WriteEffect);
  }

  async #void(): Promise<void> {
    await this.#call('voidEpoch');
    this.#voiding = false;
    this.#epoch = undefined;
    this.#isAfresh = true;
  }

  async #look(leaseMs: number): Promise<void> {
    const from = this.#isAfresh ? 0 : this.#position;
    const reply = (await this.#ask('look', String(from), String(leaseMs))) as LookReply;
    const [told, leader, lapsed, members, arrivals, noted, details, settled] = reply;
    this.#members = members;
    this.#tellCompany();
    this.#arrivals = Number(arrivals);
    this.#missing = lapsed;
    const epoch = told === '' ? undefined : Number(told);
    const isAfresh = this.#isAfresh || (epoch !== this.#epoch && !this.#voiding);
    if (isAfresh && from > 0) {
      this.#isAfresh = true;
      return this.#look(leaseMs);
    }
    if (isAfresh) this.#beginAfresh(epoch);
    this.#hearNews(noted, details, settled);
    this.#heardAt = performance.now();
    if (this.#leads === (leader === this.#id)) return;
    this.#leads = !this.#leads;
    this.#member?.hearRole(this.#leads);
  }

  /** What is still true, noted by itself or by others, is heard now: in one turn, so that nobody sees what is in between. */
  #beginAfresh(epoch: number | undefined): void {
    this.#isAfresh = false;
    if (!this.#voiding) this.#epoch = epoch;
    this.#position = 0;
    this.#own.clear();
    this.#doubts.clear();
    const onTheWay = [...this.#onTheWay.keys()].filter((item) => item.startsWith('x:'));
    this.#member?.missed();
    this.#member?.hearEpoch(this.#epoch, new Set(onTheWay.map((item) => item.slice(2))));
  }

  #hearNews(noted: LookReply[5], details: LookReply[6], settled: LookReply[7]): void {
    const { position, ...news } = readNews(noted, details, settled, {
      after: this.#position,
      // What it did itself it knows.
      skip: (item, mark) => item.startsWith(this.#nameOf('')) || this.#own.get(item) === mark,
      onDoubt: (item, mark) => this.#doubts.set(item, mark),
      isDoubtedSince: (item, mark) => this.#onTheWay.has(item) || (this.#doubts.get(item) ?? 0) > mark,
    });
    this.#position = position;
    for (const [item, mark] of this.#own) if (mark <= position) this.#own.delete(item);
    this.#member?.hear(news);
  }
}

const HASHES = Object.fromEntries(SCRIPTS.map(({ name, lua }) => [name, hash('sha1', lua)])) as Record<
  ScriptName,
  string
>;
