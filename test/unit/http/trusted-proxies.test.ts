import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createTrustedProxies } from '../../../src/http/trusted-proxies.ts';

const from = (remoteAddress: string | undefined, forwardedFor?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }) as unknown as IncomingMessage;

describe('the address of a caller', () => {
  it.each<[trusted: string[], req: IncomingMessage, address: string]>([
    [[], from('1.1.1.1'), '1.1.1.1'],
    [[], from('127.0.0.1', '6.6.6.6'), '127.0.0.1'],
    [['loopback'], from('127.0.0.1', '6.6.6.6'), '6.6.6.6'],
    [['loopback'], from('::ffff:127.0.0.1', '6.6.6.6'), '6.6.6.6'],
    [['loopback'], from('1.1.1.1', '6.6.6.6'), '1.1.1.1'],
    [['loopback'], from('127.0.0.1', '6.6.6.6, 2.2.2.2'), '2.2.2.2'],
    [['loopback', '10.0.0.0/8'], from('127.0.0.1', '6.6.6.6, 2.2.2.2, 10.1.1.1'), '2.2.2.2'],
    [['uniquelocal'], from('10.9.9.9', '6.6.6.6'), '6.6.6.6'],
    [['loopback'], from(undefined, '6.6.6.6'), 'unknown'],
  ])('with %j trusted: %#', (trusted, req, address) => {
    const { clientAddressOf, wayOf } = createTrustedProxies(trusted);
    expect([clientAddressOf(req), wayOf(req)[0]]).toEqual([address, address]);
  });

  it('is the same of a request that was prepared to be sent on', () => {
    const { clientAddressOf, wayOf } = createTrustedProxies(['loopback']);
    const req = from('127.0.0.1', '6.6.6.6, 2.2.2.2');
    req.headers['x-forwarded-for'] = wayOf(req).join(', ');
    expect(clientAddressOf(req)).toBe('2.2.2.2');
  });
});
