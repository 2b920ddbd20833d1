import { expect, it } from 'vitest';
import { AttemptLimits } from '../../../src/auth/attempt-limits.ts';
import { createBasicAuthenticator } from '../../../src/auth/basic-authenticator.ts';
import { readUsers } from '../../../src/auth/read-users.ts';
import { basic } from '../../fixtures/users-file.ts';

const limits = () => new AttemptLimits({ windowSeconds: 60, perUserAndAddress: 9, perAddress: 9, perUser: 9 });

// The first three are from the tests of crypt_blowfish, which Apache has inside; the last was made by libxcrypt.
it.each([
  ['U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['U*U*U', '$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['pässwörd ☃', '$2y$05$abcdefghijklmnopqrstuuHAV94Mj58aB25TMAjGh195IxPdIcE2O'],
])('knows the password %s by a hash of another make', async (password, hash) => {
  const { people } = readUsers(`ada:${hash}`);
  const { authenticate } = createBasicAuthenticator({
    hashes: () => people,
    groups: () => new Map([['ada', ['team']]]),
    limits: limits(),
    close: () => undefined,
  });
  const judge = async (given: string) => authenticate({ ...basic('ada', given), address: '192.0.2.1' });
  await expect(judge(password)).resolves.toEqual({ user: 'ada', groups: ['team'] });
  await expect(judge(`${password}x`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
