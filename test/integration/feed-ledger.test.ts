import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRedisLedger, type RedisLedgerOptions } from '../../adapters/redis/index.ts';
import type { Attendance } from '../../src/plan/attendance.ts';
import type { FeedLedger, LedgerMember, News, Notes } from '../../src/plan/feed-ledger.ts';
import { NO_EFFECT, type WriteEffect } from '../../src/plan/write-effect.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { TcpLink } from '../fixtures/tcp-link.ts';

const LEASE_MS = 600;
const ABSENT_MS = 2_000;
const WRITE: WriteEffect = { ...NO_EFFECT, runs: [{ runId: 'a' }], uncertain: true };

let redis: OwnRedis;
let scopes = 0;
let opened: Gateway[] = [];

beforeAll(async () => {
  redis = await OwnRedis.start();
});

afterAll(() => redis.stop());

afterEach(async () => {
  for (const gateway of opened) await gateway.leave();
  opened = [];
});

/** One that takes part, and remembers what it heard. */
class Gateway implements LedgerMember {
  readonly link: TcpLink;
  readonly ledger: FeedLedger & Attendance;
  readonly heard: News[] = [];
  readonly adopted: WriteEffect[] = [];
  /** How many it had heard when it began afresh. */
  #afresh = 0;
  epoch: number | undefined;
  notes: Notes = {};

  private constructor(link: TcpLink, options: Partial<RedisLedgerOptions>) {
    this.link = link;
    const url = `redis://127.0.0.1:${link.port}`;
    const timing = { leaseMs: LEASE_MS, absentMs: ABSENT_MS };
    this.ledger = openRedisLedger({ url, keyPrefix: 'ledger', scope: `${scopes}`, ...timing, ...options });
    this.ledger.join(this);
  }

  static async connect(options: Partial<RedisLedgerOptions> = {}): Promise<Gateway> {
    const gateway = new Gateway(await TcpLink.to(Number(new URL(redis.url).port)), options);
    opened.push(gateway);
    return gateway;
  }

  /** @param trusted waits until it may rely on what it hears */
  static async open(options: Partial<RedisLedgerOptions> = {}, trusted = true): Promise<Gateway> {
    const gateway = await Gateway.connect(options);
    await expect.poll(() => gateway.ledger.joined, { interval: 5 }).toBe(true);
    if (trusted) await gateway.untilTrusted();
    return gateway;
  }

  untilTrusted(): Promise<void> {
    return expect.poll(() => this.ledger.catchUp(), { interval: 10, timeout: 10_000 }).toBe(true);
  }

  unsettled = (): Notes => this.notes;
  hear = (news: News) => void this.heard.push(news);
  missed = (): void => {
    this.#afresh = this.heard.length;
  };
  hearRole = () => {};
  adopt = (effect: WriteEffect) => void this.adopted.push(effect);
  hearEpoch = (epoch: number | undefined) => {
    this.epoch = epoch;
  };

  all<K extends keyof News>(kind: K): unknown[] {
    return this.heard.flatMap((news) => [...(news[kind] as Iterable<unknown>)]);
  }

  /** Writes that others have open, as it heard since it began afresh, as texts. */
  get open(): string[] {
    return this.heard.slice(this.#afresh).flatMap(({ uncertain }) => [...uncertain].map(String));
  }

  async leave(): Promise<void> {
    await this.ledger.close();
    this.link.close();
  }
}

async function openTwo(options?: Partial<RedisLedgerOptions>): Promise<[Gateway, Gateway]> {
  scopes++;
  return Promise.all([Gateway.open(options), Gateway.open(options)]);
}

/** What Redis remembers of times lies that much later after its machine's clock was put back, in ms. */
async function putClockBack(byMs: number): Promise<void> {
  const client = new Redis(redis.url);
  const slot = `{ledger}:feed:v2:${scopes}`;
  const later = `redis.call('HINCRBY', KEYS[1], 'clock', ARGV[1])
    for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do redis.call('ZINCRBY', KEYS[2], ARGV[1], member) end`;
  await client.eval(later, 2, `${slot}:state`, `${slot}:members`, byMs);
  client.disconnect();
}

describe('a note', () => {
  it('is heard by the others at their next look, and not by the one that made it', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a', experimentId: '7' }], doubted: ['8'], created: ['9'] });
    expect(await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()])).toEqual([true, true]);
    expect(other.all('runs')).toEqual([{ runId: 'a', experimentId: '7' }]);
    expect([other.all('doubted'), other.all('created')]).toEqual([['8'], ['9']]);
    expect([one.all('runs'), one.all('doubted')]).toEqual([[], []]);
  });

  it('waits for one that comes later, until it is settled', async () => {
    const [one] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a' }, { runId: 'b' }] });
    await one.ledger.claim(['a']);
    await one.ledger.settle(['a'], ['7']);
    const late = await Gateway.open();
    expect(late.all('runs')).toEqual([{ runId: 'b', experimentId: undefined }]);
    expect(late.all('written')).toEqual(['7']);
  });
});

describe('a run', () => {
  it('is copied by one gateway at a time', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    expect(await one.ledger.claim(['a', 'b'])).toEqual(
      new Map([
        ['a', 'mine'],
        ['b', 'settled'],
      ]),
    );
    expect((await other.ledger.claim(['a'])).get('a')).toBe('others');
    await one.ledger.release(['a']);
    expect((await other.ledger.claim(['a'])).get('a')).toBe('mine');
  });

  it('stays when it was noted again after it was claimed', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    await one.ledger.claim(['a']);
    await other.ledger.note({ runs: [{ runId: 'a' }] });
    await one.ledger.settle(['a'], []);
    expect((await other.ledger.claim(['a'])).get('a')).toBe('mine');
    await other.ledger.settle(['a'], []);
    expect((await one.ledger.claim(['a'])).get('a')).toBe('settled');
  });

  it('is free again when the gateway that claimed it dies', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    await one.ledger.claim(['a']);
    one.link.cut();
    await expect.poll(() => other.ledger.claim(['a']), { interval: 20 }).toEqual(new Map([['a', 'mine']]));
  });
});

describe('an experiment', () => {
  it('is trusted again when it was copied after its last doubt, and not before', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ doubted: ['7'] });
    await other.ledger.catchUp();
    // Said before the second doubt is heard of, which reports hear of unasked, and carried out after it.
    const goOn = other.link.stall();
    const trusted = other.ledger.trust('7');
    await one.ledger.note({ doubted: ['7'] });
    goOn();
    await trusted;
    await other.ledger.catchUp();
    await one.ledger.catchUp();
    expect(one.all('trusted')).toEqual([]);
    await other.ledger.trust('7');
    await one.ledger.catchUp();
    expect(one.all('trusted')).toEqual(['7']);
  });
});

describe('an experiment, of which a note was lost on its way', () => {
  it('is trusted again when it was copied after the gateway came back and said it anew', async () => {
    const [one, other] = await openTwo();
    other.notes = { doubted: ['8'] };
    other.link.cut();
    const noted = other.ledger.note(other.notes);
    other.link.heal();
    await expect.poll(() => one.ledger.catchUp().then(() => one.all('doubted')), { interval: 5 }).toContain('8');
    await one.ledger.trust('8');
    await expect.poll(() => other.all('trusted'), { timeout: 2_000 }).toContain('8');
    await noted;
  });
});

describe('an experiment, of which a note waits until nobody relies on this gateway in the life before', () => {
  it('is trusted again when it was copied meanwhile', async () => {
    const [one, other] = await openTwo();
    await redis.kill();
    await redis.restart();
    await Promise.all(
      [one, other].map(({ ledger }) => expect.poll(() => ledger.joined, { timeout: 10_000 }).toBe(true)),
    );
    const noted = other.ledger.note({ doubted: ['8'] });
    await expect.poll(() => one.all('doubted'), { interval: 5 }).toContain('8');
    await one.ledger.trust('8');
    await expect.poll(() => other.all('trusted'), { timeout: 2_000 }).toContain('8');
    await noted;
  });
});

describe('an epoch', () => {
  it('has the one that began it hear again what is still true, and no more', async () => {
    const [one, other] = await openTwo();
    const [leader, follower] = one.ledger.leads ? [one, other] : [other, one];
    await follower.ledger.note({ uncertain: new Map(['over', 'open'].map((name) => [name, WRITE])) });
    await leader.ledger.catchUp();
    await Promise.all([follower.ledger.makeCertain('over'), leader.ledger.begin(1)]);
    await leader.ledger.catchUp();
    expect(leader.open).toEqual([expect.stringMatching(/:open,/)]);
    expect(leader.epoch).toBe(1);
  });

  it('is begun by the one that leads, and void for all at once', async () => {
    const [one, other] = await openTwo();
    const [leader, follower] = one.ledger.leads ? [one, other] : [other, one];
    expect(follower.ledger.leads).toBe(false);
    expect(await follower.ledger.begin(5)).toBe(false);
    await follower.ledger.note({ runs: [{ runId: 'a' }], uncertain: new Map([['w', WRITE]]) });
    await leader.ledger.catchUp();
    expect(await leader.ledger.begin(6)).toBe(true);
    await follower.ledger.catchUp();
    expect(follower.epoch).toBe(6);
    // What was noted before is copied with all the rest.
    expect((await leader.ledger.claim(['a'])).get('a')).toBe('settled');
    await follower.ledger.void();
    await leader.ledger.catchUp();
    expect([leader.ledger.epoch, follower.ledger.epoch]).toEqual([undefined, undefined]);
    // When it was noted, and again, since it is still true, when the epoch was void.
    expect(leader.all('uncertain')).toHaveLength(2);
  });
});

describe('another index', () => {
  it('is gone on with by a gateway that was alone all the time', async () => {
    scopes++;
    const one = await Gateway.open();
    await one.ledger.begin(3);
    await one.ledger.note({ runs: [{ runId: 'a' }, { runId: 'b' }] });
    const { solitude } = one.ledger;
    one.notes = { runs: [{ runId: 'b' }] };
    one.ledger.join(one, { epoch: 9, solitude });
    await one.untilTrusted();
    expect([one.ledger.epoch, one.epoch]).toEqual([9, 9]);
    // What the new index lacks, and nothing else.
    expect(await one.ledger.claim(['a', 'b'])).toEqual(
      new Map([
        ['a', 'settled'],
        ['b', 'mine'],
      ]),
    );
  });

  it('is not gone on with when another gateway was there meanwhile', async () => {
    scopes++;
    const one = await Gateway.open();
    await one.ledger.begin(3);
    const { solitude } = one.ledger;
    const other = await Gateway.open();
    expect(one.ledger.solitude).toBeUndefined();
    await other.leave();
    await one.ledger.catchUp();
    expect(one.ledger.solitude).not.toBe(solitude);
    one.ledger.join(one, { epoch: 9, solitude });
    await one.untilTrusted();
    expect([one.ledger.epoch, one.epoch]).toEqual([3, 3]);
  });
});

describe('a gateway that is cut off', () => {
  it('acknowledges nothing before the others stop relying on its word', async () => {
    const [one, other] = await openTwo();
    one.link.cut();
    const begun = performance.now();
    const noted = one.ledger.note({ runs: [{ runId: 'a' }] }).then(() => other.ledger.catchUp());
    let heeded = true;
    while (heeded && performance.now() - begun < 10_000) {
      heeded = await other.ledger.catchUp();
      await sleep(5);
    }
    expect(await noted).toBe(false);
    expect(await one.ledger.catchUp()).toBe(false);
    // From then on it waits no more.
    const again = performance.now();
    await one.ledger.note({ runs: [{ runId: 'b' }] });
    expect(performance.now() - again).toBeLessThan(LEASE_MS / 2);
    one.notes = { runs: [{ runId: 'a' }, { runId: 'b' }] };
    one.link.heal();
    await other.untilTrusted();
    expect(other.all('runs')).toEqual([{ runId: 'a' }, { runId: 'b' }]);
  });

  it('is missed in time although the clock of Redis is put back', async () => {
    const [one, other] = await openTwo();
    one.link.cut();
    await putClockBack(60_000);
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    expect(await other.ledger.catchUp()).toBe(false);
    await expect.poll(() => other.ledger.status(), { interval: 5 }).toMatchObject({ replicas: 2, missing: 1 });
    expect(await other.ledger.catchUp()).toBe(false);
    one.notes = { runs: [{ runId: 'a' }] };
    one.link.heal();
    await other.untilTrusted();
    expect(other.all('runs')).toEqual([{ runId: 'a' }]);
  });

  it('does not wait when it is alone', async () => {
    scopes++;
    const one = await Gateway.open();
    one.link.cut();
    const begun = performance.now();
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    expect(performance.now() - begun).toBeLessThan(LEASE_MS / 2);
  });

  it('is waited for, then done without: the epoch is void and its open writes are taken over', async () => {
    const [one, other] = await openTwo();
    const leader = one.ledger.leads ? one : other;
    await leader.ledger.begin(3);
    await one.ledger.note({ uncertain: new Map([['w', WRITE]]) });
    await other.ledger.catchUp();
    one.link.cut();
    await expect.poll(() => other.ledger.catchUp(), { interval: 10 }).toBe(false);
    expect(other.ledger.status()).toMatchObject({ replicas: 2, missing: 1 });
    await other.untilTrusted();
    expect(other.ledger.status()).toEqual({ replicas: 1, missing: 0, leads: true });
    expect([other.ledger.epoch, other.adopted]).toEqual([undefined, [WRITE]]);
  });

  it('is missed for as long as the others may not do without it', async () => {
    scopes++;
    let mayForget = false;
    const beforeForgetting = async () => {
      if (!mayForget) throw new Error('Not yet.');
    };
    const [one, other] = await Promise.all([Gateway.open({ beforeForgetting }), Gateway.open({ beforeForgetting })]);
    one.link.cut();
    await expect.poll(() => other.ledger.catchUp(), { interval: 10 }).toBe(false);
    await sleep(ABSENT_MS + LEASE_MS);
    expect(other.ledger.status()).toMatchObject({ replicas: 2, missing: 1 });
    mayForget = true;
    await other.untilTrusted();
    expect(other.ledger.status()).toMatchObject({ replicas: 1, missing: 0 });
  });

  it('has its writes wait once when it may not take part', async () => {
    scopes++;
    let mayJoin = true;
    const absentMs = 60_000;
    const one = await Gateway.open({
      absentMs,
      mayJoin: async () => {
        if (!mayJoin) throw new Error('The cache does not know of a write.');
      },
    });
    const other = await Gateway.open({ absentMs });
    await one.untilTrusted();
    mayJoin = false;
    await one.ledger.withdraw(new Error('The cache does not know of a write.'));
    const begun = performance.now();
    for (let i = 0; i < 10; i++) {
      await one.ledger.note({ runs: [{ runId: 'a' }] });
      await sleep(LEASE_MS / 5);
    }
    expect(performance.now() - begun).toBeLessThan(4 * LEASE_MS);
    expect(await other.ledger.catchUp()).toBe(false);
    mayJoin = true;
    await other.untilTrusted();
  });

  it('is not missed when it took its leave as soon as it had come', async () => {
    const absentMs = 60_000;
    const [one] = await openTwo({ absentMs });
    for (let i = 0; i < 5; i++) {
      const brief = await Gateway.open({ absentMs }, false);
      // A registration is on its way.
      brief.ledger.join(brief);
      await brief.leave();
    }
    await one.untilTrusted();
    expect(one.ledger.status()).toMatchObject({ replicas: 2, missing: 0 });
  });

  it.each(['unsettled', 'missed'] as const)(
    'is not missed when it registers anew and takes its leave while %s is asked',
    async (step) => {
      const absentMs = 60_000;
      const [one] = await openTwo({ absentMs });
      const brief = await Gateway.connect({ absentMs });
      const left = new Promise<void>((resolve) => {
        brief[step] = () => {
          brief[step] = () => ({});
          queueMicrotask(() => {
            brief.ledger.join(brief);
            resolve(brief.leave());
          });
          return {};
        };
      });
      await left;
      await one.untilTrusted();
      expect(one.ledger.status()).toMatchObject({ replicas: 2, missing: 0 });
    },
  );

  it('comes back as the same after a crash', async () => {
    const [, other] = await openTwo();
    const crashed = await Gateway.open({ id: 'crashed' });
    await crashed.ledger.note({ uncertain: new Map([['w', WRITE]]) });
    crashed.link.close();
    await expect.poll(() => other.ledger.catchUp(), { interval: 10 }).toBe(false);
    const back = await Gateway.open({ id: 'crashed' }, false);
    await other.untilTrusted();
    // It no longer had that write open.
    expect(other.all('certain')).toEqual(other.all('uncertain').map((entry) => (entry as [string])[0]));
    await back.leave();
    await other.untilTrusted();
    expect(other.ledger.status()).toMatchObject({ missing: 0 });
  });
});

describe('a Redis that lost everything', () => {
  it('is told again by every gateway before any of them relies on it', async () => {
    const [one, other] = await openTwo({ absentMs: 60_000 });
    const leader = one.ledger.leads ? one : other;
    await leader.ledger.begin(4);
    await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()]);
    one.notes = { runs: [{ runId: 'a' }] };
    one.link.cut();
    await redis.stop();
    await redis.restart();
    await expect.poll(() => other.ledger.joined, { timeout: 10_000 }).toBe(true);
    await sleep(2 * LEASE_MS);
    expect(await other.ledger.catchUp()).toBe(false);
    one.link.heal();
    await other.untilTrusted();
    expect(other.all('runs')).toContainEqual({ runId: 'a' });
    expect([one.ledger.epoch, other.ledger.epoch]).toEqual([4, 4]);
  });
});

describe('a Redis that comes back with what it had saved before', () => {
  const comeBackWith = async (dump: Buffer) => {
    await redis.kill();
    await redis.restart(dump);
  };

  it('makes no epoch good again that was void since', async () => {
    const [one, other] = await openTwo();
    const leader = one.ledger.leads ? one : other;
    await leader.ledger.begin(4);
    await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()]);
    const dump = await redis.save();
    await one.ledger.void();
    await comeBackWith(dump);
    for (const gateway of [one, other]) {
      await gateway.untilTrusted();
      expect(gateway.ledger.epoch).toBeUndefined();
    }
  });

  it('makes no epoch good again that only one knows to be void, whoever comes first', async () => {
    const [one, other] = await openTwo({ absentMs: 60_000 });
    const leader = one.ledger.leads ? one : other;
    await leader.ledger.begin(4);
    await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()]);
    const dump = await redis.save();
    const goOn = other.link.stall();
    await one.ledger.void();
    await redis.kill();
    one.link.cut();
    goOn();
    await redis.restart(dump);
    await expect.poll(() => other.ledger.joined, { timeout: 10_000 }).toBe(true);
    expect(other.ledger.epoch).toBe(4);
    await sleep(2 * LEASE_MS);
    expect(await other.ledger.catchUp()).toBe(false);
    one.link.heal();
    await other.untilTrusted();
    expect([one.ledger.epoch, other.ledger.epoch]).toEqual([undefined, undefined]);
  });

  it('goes on in the epoch that all know of, and is told again what they noted since', async () => {
    const [one, other] = await openTwo();
    const leader = one.ledger.leads ? one : other;
    await leader.ledger.begin(3);
    const dump = await redis.save();
    await leader.ledger.begin(4);
    await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()]);
    one.notes = { runs: [{ runId: 'a' }] };
    await one.ledger.note(one.notes);
    await comeBackWith(dump);
    await other.untilTrusted();
    expect(other.all('runs').at(-1)).toEqual({ runId: 'a', experimentId: undefined });
    expect([one.ledger.epoch, other.ledger.epoch]).toEqual([4, 4]);
  });

  it('has a gateway missed that came since, until it comes again', async () => {
    scopes++;
    const one = await Gateway.open({ absentMs: 60_000 });
    const dump = await redis.save();
    const other = await Gateway.open({ absentMs: 60_000 });
    await one.ledger.catchUp();
    other.link.cut();
    await comeBackWith(dump);
    await expect.poll(() => one.ledger.joined, { timeout: 10_000 }).toBe(true);
    await sleep(2 * LEASE_MS);
    expect(await one.ledger.catchUp()).toBe(false);
    expect(one.ledger.status()).toMatchObject({ replicas: 2, missing: 1 });
    other.link.heal();
    await one.untilTrusted();
  });

  it('settles nothing up to a mark that it gave before', async () => {
    const [one, other] = await openTwo();
    await one.ledger.note({ runs: [{ runId: 'a' }] });
    const dump = await redis.save();
    await other.ledger.claim(['a']);
    await comeBackWith(dump);
    await other.untilTrusted();
    await other.ledger.settle(['a'], []);
    expect((await other.ledger.claim(['a'])).get('a')).toBe('mine');
  });
});

describe('a gateway whose way leads to another Redis', () => {
  it('acknowledges nothing before those that it left rely on it no more, and is believed when they have come too', async () => {
    const another = await OwnRedis.start();
    try {
      const [one, other] = await openTwo({ absentMs: 60_000 });
      await Promise.all([one.ledger.catchUp(), other.ledger.catchUp()]);
      one.link.leadTo(another.port);
      await expect.poll(() => one.ledger.joined, { interval: 1 }).toBe(false);
      await expect.poll(() => one.ledger.joined, { interval: 1, timeout: 10_000 }).toBe(true);
      expect(one.ledger.life).not.toBe(other.ledger.life);
      // Nobody hears of it who stayed.
      one.notes = { runs: [{ runId: 'a' }] };
      await one.ledger.note(one.notes);
      expect(await other.ledger.catchUp()).toBe(false);
      await sleep(2 * LEASE_MS);
      expect(await one.ledger.catchUp()).toBe(false);
      other.link.leadTo(another.port);
      await Promise.all([one.untilTrusted(), other.untilTrusted()]);
      expect(other.all('runs')).toEqual([{ runId: 'a', experimentId: undefined }]);
      expect(one.ledger.life).toBe(other.ledger.life);
      await Promise.all([one.leave(), other.leave()]);
    } finally {
      await another.stop();
    }
  });
});
