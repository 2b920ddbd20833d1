import { describe, expect, it } from 'vitest';
import { readGroups, readUsers } from '../../../src/auth/read-users.ts';

const SALTED = 'abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234';
const HASH = `$2y$10$${SALTED}`;

describe('readUsers', () => {
  it('reads what htpasswd writes', () => {
    const { people, problems } = readUsers(`# people\nada:${HASH}\r\n\nbob:$2b$05$${SALTED}\n`);
    expect([...people]).toEqual([
      ['ada', `$2b$10$${SALTED}`],
      ['bob', `$2b$05$${SALTED}`],
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['ada', /^line 2 is not user:hash$/],
    [`:${HASH}`, /^line 2 is not user:hash$/],
    ['ada:$apr1$abc$def', /^line 2: not a bcrypt hash; htpasswd -nBC 10 USER/],
    ['ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /^line 2: not a bcrypt hash/],
    ['ada:password', /^line 2: not a bcrypt hash/],
    [`ada:${HASH}x`, /^line 2: not a bcrypt hash/],
    [`ada:$2y$32$${SALTED}`, /^line 2: not a bcrypt hash/],
    [`bob:${HASH}`, /^line 2: a second line of the same user$/],
  ])('leaves %s out, and says why without the hash', (line, problem) => {
    const { people, problems } = readUsers(`bob:${HASH}\n${line}\ncy:${HASH}\n`);
    expect([...people.keys()]).toEqual(['bob', 'cy']);
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });
});

describe('readGroups', () => {
  it("reads the form of Apache's AuthGroupFile", () => {
    const { people, problems } = readGroups('# groups\nteam: ada bob\nadmins:  ada\nempty:\n');
    expect([...people]).toEqual([
      ['ada', ['team', 'admins']],
      ['bob', ['team']],
    ]);
    expect(problems).toEqual([]);
  });

  it('says which line is none', () => {
    expect(readGroups('team ada').problems).toEqual(['line 1 is not group: user user']);
  });
});
