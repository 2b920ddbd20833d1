/** A hash that is known to be bcrypt's: version, cost, 22 characters of salt and 31 of the hash. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** What a file of people says, and what is wrong with it. */
export interface ReadPeople<T> {
  readonly people: ReadonlyMap<string, T>;
  readonly problems: readonly string[];
}

/** Hashes by user, of a file as Apache's `htpasswd -B` writes it. A line that is wrong is left out. */
export function readUsers(text: string): ReadPeople<string> {
  const people = new Map<string, string>();
  const problems: string[] = [];
  for (const { line, number } of linesOf(text)) {
    const colon = line.indexOf(':');
    const user = line.slice(0, Math.max(0, colon));
    const hash = line.slice(colon + 1);
    if (user === '') problems.push(`line ${number} is not user:hash`);
    else if (!BCRYPT.test(hash)) problems.push(`line ${number}: not a bcrypt hash; htpasswd -nBC 10 USER makes a line`);
    else if (people.has(user)) problems.push(`line ${number}: a second line of the same user`);
    // 2y, of Apache and PHP, is what others call 2b.
    else people.set(user, hash.replace(/^\$2y/, '$$2b'));
  }
  return { people, problems };
}

/** Groups by user, of a file in the form of Apache's `AuthGroupFile`: `group: user user`. A line that is wrong is left out. */
export function readGroups(text: string): ReadPeople<readonly string[]> {
  const people = new Map<string, string[]>();
  const problems: string[] = [];
  for (const { line, number } of linesOf(text)) {
    const [, group, users = ''] = /^([^\s:]+)\s*:(.*)$/.exec(line) ?? [];
    if (group === undefined) problems.push(`line ${number} is not group: user user`);
    else for (const user of users.split(/\s+/).filter(Boolean)) people.set(user, [...(people.get(user) ?? []), group]);
  }
  return { people, problems };
}

function linesOf(text: string): { line: string; number: number }[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
}
