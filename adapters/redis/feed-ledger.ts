import { randomUUID } from 'node:crypto';
import type { Attendance } from '../../src/plan/attendance.ts';
import type { Claim, FeedLedger, LedgerMember, LedgerStatus, Notes, Successor } from '../../src/plan/feed-ledger.ts';
import type { WriteEffect } from '../../src/plan/write-effect.ts';
import { Claims } from './claims.ts';
import { Company } from './company.ts';
import { LedgerCursor, type LookReply } from './ledger-cursor.ts';
import { itemsOf } from './ledger-items.ts';
import { Membership, type Place } from './membership.ts';
import type { RedisServer } from './redis-server.ts';
import { ScriptedRedis } from './scripted-redis.ts';

export interface RedisLedgerOptions extends RedisServer {
  readonly keyPrefix: string;
  /** What tells this index from others in the same Redis. */
  readonly scope: string;
  /** Stays the same for a gateway that still knows what it had noted before it died; by default a new one. */
  readonly id?: string | undefined;
  /** The epoch that this gateway kept the index in, for a Redis that knows of none: only if it kept it alone. */
  readonly epoch?: number | undefined;
  /** The epoch that an earlier process of this gateway kept the index in last. */
  readonly lastEpoch?: number | undefined;
  /** How long a gateway may be away before the others begin an epoch without it, in ms. */
  readonly absentMs: number;
  /** How long the others wait for a gateway that does not report, before they stop answering from the index, in ms. */
  readonly leaseMs?: number;
  /** Rejects as long as the others must not rely on this gateway in this life of Redis, besides what it has to note. */
  mayJoin?(life: string): Promise<void>;
  /** One that is missing is about to be missed no more, for good. Rejects as long as that must not be. */
  beforeForgetting?(): Promise<void>;
  /** Told whether others take part, whenever that changes. */
  onCompany?(others: boolean): void;
  /** Told when it can take part no more, and why; and when it can again. */
  onOutage?(error: Error | undefined): void;
}

const LEASE_MS = 1_500;
/** For so long it is believed that nobody is missing, in ms of when that was asked: several reports of a gateway. */
const ATTENDANCE_MS = 1_000;
/** Larger than every mark. */
const FOR_GOOD = '9007199254740991';

/** A ledger in Redis, for every gateway that keeps the same index. */
export const openRedisLedger = (options: RedisLedgerOptions): FeedLedger & Attendance => new RedisFeedLedger(options);

class RedisFeedLedger implements FeedLedger, Attendance {
  readonly isShared = true;
  readonly #options: RedisLedgerOptions;
  readonly #id: string;
  readonly #leaseMs: number;
  readonly #redis: ScriptedRedis;
  readonly #membership: Membership;
  readonly #claims: Claims;
  readonly #cursor: LedgerCursor;
  readonly #company: Company;
  #member: LedgerMember | undefined;
  #successor: Successor | undefined;
  /** When what was heard last was asked for, in ms of `performance.now()`. */
  #heardAt: number | undefined;
  #epoch: number | undefined;
  #leads = false;
  /** The others do not know yet that the epoch is void. */
  #voiding = false;
  /** Everything has to be heard from the beginning. */
  #isAfresh = true;

  constructor(options: RedisLedgerOptions) {
    const { keyPrefix, scope, mayJoin, onOutage } = options;
    this.#options = options;
    this.#id = options.id ?? randomUUID();
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#epoch = options.epoch;
    this.#cursor = new LedgerCursor(this.#nameOf(''));
    this.#company = new Company(this.#id, (others) => this.#tellCompany(others));
    this.#redis = new ScriptedRedis({
      server: options,
      prefix: `{${keyPrefix}}:feed:v2:${scope}`,
      id: this.#id,
      onLost: (error) => this.#membership.lose(error),
    });
    this.#membership = new Membership({
      redis: this.#redis,
      leaseMs: this.#leaseMs,
      lookEveryMs: ATTENDANCE_MS,
      register: (place) => this.#register(place),
      onEntered: () => this.#onEntered(),
      report: () => this.#report(),
      hasCompany: () => this.#company.hasOthers,
      ...(mayJoin && { mayEnter: mayJoin }),
      ...(onOutage && { onOutage }),
    });
    this.#claims = new Claims(this.#membership);
  }

  get joined(): boolean {
    return this.#membership.joined;
  }

  get life(): string | undefined {
    return this.#membership.life;
  }

  get leads(): boolean {
    return this.#leads;
  }

  get epoch(): number | undefined {
    return this.#voiding ? undefined : this.#epoch;
  }

  get newsAgeMs(): number | undefined {
    return this.#isComplete && this.#heardAt !== undefined ? performance.now() - this.#heardAt : undefined;
  }

  get isAlone(): boolean {
    return !this.#company.hasOthers;
  }

  /** One that was alone may have something untold when this gateway comes. It hears of it in a lease, and is missed in two. */
  get isFull(): boolean {
    return this.#membership.leases > 2 && (this.newsAgeMs ?? Number.POSITIVE_INFINITY) < ATTENDANCE_MS;
  }

  async withdraw(reason: Error): Promise<void> {
    await this.#membership.withdraw(reason);
  }

  untilLeft(): Promise<void> {
    return this.#membership.untilLeft();
  }

  get solitude(): number | undefined {
    return this.#company.solitude;
  }

  join(member: LedgerMember, successor?: Successor): void {
    this.#member = member;
    this.#successor = successor;
    this.#heardAt = undefined;
    this.#membership.enter();
  }

  async begin(epoch: number): Promise<boolean> {
    const begun = await this.#membership.ask('begin', String(this.#epoch ?? ''), String(epoch));
    if (begun !== 1) return false;
    this.#epoch = epoch;
    // With the notes, that some of them were settled is gone.
    this.#isAfresh = true;
    return true;
  }

  async void(): Promise<void> {
    this.#voiding = true;
    await this.#membership.tell(() => this.#void());
  }

  async note(notes: Notes): Promise<void> {
    const items = itemsOf(notes, (write) => this.#nameOf(write));
    if (items.length === 0) return;
    const names = items.filter((_, i) => i % 2 === 0);
    const ended = this.#cursor.expect(names);
    await this.#membership.tell(async () => {
      this.#cursor.did(names, Number(await this.#redis.call('noteAll', ...items)));
      // The others know of it from now on, and may settle it before this gateway may acknowledge it.
      ended();
    });
    ended();
  }

  async catchUp(): Promise<boolean> {
    if (!this.#membership.isTrusted || this.#voiding) return false;
    try {
      await this.#look(0);
    } catch {
      return false;
    }
    return this.#isComplete;
  }

  claim(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
    return this.#claims.make(runIds);
  }

  async settle(runIds: readonly string[], writtenExperiments: readonly string[]): Promise<void> {
    const written = writtenExperiments.map((id) => `w:${id}`);
    this.#cursor.did(written, Number(await this.#settle(writtenExperiments, this.#claims.end(runIds))));
  }

  release(runIds: readonly string[]): Promise<void> {
    return this.#claims.release(runIds);
  }

  async trust(experimentId: string): Promise<void> {
    const mark = this.#cursor.doubtOf(experimentId);
    if (mark !== undefined) await this.#settle([], [`x:${experimentId}`, String(mark)]).catch(() => undefined);
  }

  async makeCertain(name: string): Promise<void> {
    await this.#settle([], [this.#nameOf(name), FOR_GOOD]).catch(() => undefined);
  }

  status(): LedgerStatus {
    const [replicas, missing] = this.joined ? [this.#company.size, this.#company.missing] : [0, 0];
    return { replicas, missing, leads: this.#leads };
  }

  async close(): Promise<void> {
    await this.#membership.close();
    this.#redis.close();
  }

  /** Whether all that others acknowledged is known, as of the last look. */
  get #isComplete(): boolean {
    return this.#membership.isTrusted && !this.#voiding && this.#company.missing === 0;
  }

  #nameOf(write: string): string {
    return `u:${this.#id}:${write}`;
  }

  #settle(writtenExperiments: readonly string[], items: readonly string[]): Promise<unknown> {
    return this.#membership.ask('settle', String(writtenExperiments.length), ...writtenExperiments, ...items);
  }

  #register({ clock, life }: Place): Promise<unknown> {
    const { life: before } = this.#membership;
    const known = before === undefined ? this.#options.lastEpoch : this.#epoch;
    const from = before === undefined ? '' : before === life ? 'here' : 'elsewhere';
    const { others } = this.#company;
    const { epoch = '', solitude = '' } = this.#successor ?? {};
    const args = [clock, life, this.#leaseMs, this.#epoch ?? '', known ?? '', from, this.#voiding ? 'void' : ''];
    const begins = [epoch, solitude, others.length, ...others];
    const notes = itemsOf(this.#member?.unsettled() ?? {}, (write) => this.#nameOf(write));
    this.#cursor.sayAnew();
    return this.#redis.call('register', ...[...args, ...begins].map(String), ...notes);
  }

  async #onEntered(): Promise<void> {
    this.#successor = undefined;
    this.#isAfresh = true;
    // What is known of marks may be of another life, whose clock was another machine's.
    this.#cursor.rewind();
    this.#claims.forget();
    if (this.#voiding) await this.#void();
    await this.#look(0);
  }

  async #report(): Promise<void> {
    await this.#look(this.#leaseMs);
    if (!this.#leads) return;
    if (this.#company.missing > 0 && !(await this.#mayForget())) return;
    const orphans = (await this.#membership.ask('forget', String(this.#options.absentMs))) as string[];
    for (const effect of orphans) this.#member?.adopt(JSON.parse(effect) as WriteEffect);
  }

  #mayForget(): Promise<boolean> {
    return (this.#options.beforeForgetting?.() ?? Promise.resolve()).then(
      () => true,
      () => false,
    );
  }

  async #void(): Promise<void> {
    await this.#redis.call('voidEpoch');
    this.#voiding = false;
    this.#epoch = undefined;
    this.#isAfresh = true;
  }

  async #look(leaseMs: number): Promise<void> {
    const from = this.#isAfresh ? 0 : this.#cursor.position;
    const askedAt = performance.now();
    const reply = (await this.#membership.ask('look', String(from), String(leaseMs))) as LookReply;
    const [told, leader, lapsed, members, arrivals] = reply;
    this.#company.hear(members, Number(arrivals), lapsed);
    const epoch = told === '' ? undefined : Number(told);
    if (epoch !== this.#epoch && !this.#voiding) this.#isAfresh = true;
    // A lease is prolonged once a report, as its end is reckoned.
    if (this.#isAfresh && from > 0) return this.#look(0);
    if (this.#isAfresh) this.#beginAfresh(epoch);
    this.#member?.hear(this.#cursor.hear(reply));
    this.#heardAt = Math.max(this.#heardAt ?? 0, askedAt);
    this.#tellRole(leader === this.#id);
  }

  #tellCompany(others: boolean): void {
    this.#options.onCompany?.(others);
    const { life } = this.#membership;
    if (others && life !== undefined)
      this.#options.mayJoin?.(life).catch((error: Error) => this.#membership.lose(error));
  }

  #tellRole(leads: boolean): void {
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#member?.hearRole(leads);
  }

  /** What is still true, noted by itself or by others, is heard now: in one turn, so that nobody sees what is in between. */
  #beginAfresh(epoch: number | undefined): void {
    this.#isAfresh = false;
    if (!this.#voiding) this.#epoch = epoch;
    this.#cursor.rewind();
    this.#member?.missed();
    this.#member?.hearEpoch(this.#epoch, this.#cursor.doubtsOnTheWay);
  }
}
