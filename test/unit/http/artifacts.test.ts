import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../src/errors/gateway-error.ts';
import { createArtifactRoutes } from '../../../src/http/embedded/artifacts.ts';
import { sendError } from '../../../src/http/error-response.ts';
import { pathOf } from '../../../src/http/paths.ts';
import { OwnServer } from '../../fixtures/own-server.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';
const LIST = '/api/2.0/mlflow/artifacts/list';
const UPLOAD = '/ajax-api/2.0/mlflow/upload-artifact';
const RUN = 'a1'.repeat(16);
const ROOT_URI = `mlflow-artifacts:/7/${RUN}/artifacts`;
const LIMIT = 10 * 1024 * 1024;

let folder: string;
let root: string;
let server: OwnServer;

beforeEach(async () => {
  folder = await mkdtemp(join(await realpath(tmpdir()), 'artifacts-'));
  root = join(folder, 'root');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  const route = createArtifactRoutes({
    root,
    artifactUriOf: async (runId) => {
      if (runId === RUN) return ROOT_URI;
      if (runId === 'in-a-bucket') return 's3://bucket/7';
      throw new GatewayError('RESOURCE_DOES_NOT_EXIST', `Run with id=${runId} not found`);
    },
  });
  server = await OwnServer.start();
  server.answer((req, res) => {
    const handled = route(req, res, pathOf(req.url ?? ''));
    if (!handled) res.writeHead(418).end();
    else handled.catch((error: unknown) => sendError(res, error));
  });
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

type Body = string | Buffer;

/** The path goes out as it is written, which `fetch` would not do. */
function call(method: string, path: string, body?: Body, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ port: server.port, host: '127.0.0.1', method, path, agent: false, ...options }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    req.on('error', reject);
    req.end(body);
  });
}

const get = (path: string, headers: Record<string, string> = {}) => call('GET', path, undefined, { headers });

const chunked = { headers: { 'transfer-encoding': 'chunked' } };

async function put(path: string, content: Body = 'abc'): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), content);
}

const listed = async (path: string) => {
  const { status, text } = await get(path);
  expect(status).toBe(200);
  return JSON.parse(text) as { root_uri?: string; files?: { path: string; is_dir: boolean; file_size?: number }[] };
};

const everything = async () => (existsSync(root) ? readdir(root, { recursive: true }) : []);

const refused = ({ status, text }: Answer) => {
  const { error_code, message } = JSON.parse(text) as { error_code: string; message: string };
  return [status, error_code, message];
};

const INVALID = [400, 'INVALID_PARAMETER_VALUE', 'Invalid path'];
const OUTSIDE = [400, 'INVALID_PARAMETER_VALUE', 'Invalid path: resolved path is outside the artifact directory'];

describe('other paths', () => {
  it.each([
    '/api/2.0/mlflow-artifacts',
    '/api/2.0/mlflow-artifacts/nothing',
    '/api/2.0/mlflow-artifacts/mpu/create',
    '/api/3.0/mlflow-artifacts/artifacts/a',
    '/api/2.0/mlflow/upload-artifact',
    '/ajax-api/2.0/get-artifact',
    '/get-artifact/a',
    '/x/api/2.0/mlflow-artifacts/artifacts/a',
  ])('leaves %s alone', async (path) => expect((await get(path)).status).toBe(418));

  it.each([
    ['POST', `${PROXY}/a`, 405, 'GET, PUT, DELETE, HEAD, OPTIONS'],
    ['PUT', PROXY, 405, 'GET, HEAD, OPTIONS'],
    ['GET', UPLOAD, 405, 'POST, OPTIONS'],
    ['OPTIONS', `${PROXY}/a`, 204, 'GET, PUT, DELETE, HEAD, OPTIONS'],
  ])('%s %s is answered %d, allowed: %s', async (method, path, status, allow) => {
    const answer = await call(method, path);
    expect([answer.status, answer.headers.allow]).toEqual([status, allow]);
  });
});

describe('paths that lead away', () => {
  const AWAY = [
    '../secret.txt',
    'd/../../secret.txt',
    'd/..',
    '%2e%2e/secret.txt',
    '%2e%2e%2fsecret.txt',
    '.%2E/secret.txt',
    '%252e%252e/secret.txt',
    '%25252e%25252e%25252fsecret.txt',
    '%25252525252525252525252e./secret.txt',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    '%252fetc%252fpasswd',
    '..%5csecret.txt',
    '%5c%5chost%5cshare',
    'a%5cb',
    'C:/secret.txt',
    'file:/etc/passwd',
    'FILE:%2f%2f/etc/passwd',
    'a%00b',
    'a%2500b',
    'a%0ab',
    'a%23b',
  ];

  it.each(AWAY)('%s is refused, whatever is asked of it', async (path) => {
    const asQuery = path.replaceAll('#', '%23');
    await put('d/here.txt');
    const before = await everything();
    const answers = await Promise.all([
      get(`${PROXY}/${path}`),
      call('PUT', `${PROXY}/${path}`, 'x'),
      call('DELETE', `${PROXY}/${path}`),
      get(`${PROXY}?path=${asQuery}`),
      get(`${LIST}?run_id=${RUN}&path=${asQuery}`),
      get(`/get-artifact?run_id=${RUN}&path=${asQuery}`),
      call('POST', `${UPLOAD}?run_uuid=${RUN}&path=${asQuery}`, 'x'),
      call('POST', `/api/2.0/mlflow-artifacts/mpu/create/${path}`, '{}'),
      get(`/api/2.0/mlflow-artifacts/presigned/${path}`),
    ]);
    for (const answer of answers) expect(refused(answer)).toEqual(INVALID);
    expect(await everything()).toEqual(before);
    expect(await readFile(join(folder, 'secret.txt'), 'utf8')).toBe('secret');
  });

  it('takes dots that are names', async () => {
    for (const name of ['...', '..a', 'a..', '.hidden'])
      expect((await call('PUT', `${PROXY}/${name}/${name}`, name)).status).toBe(200);
    expect((await get(`${PROXY}/..a/..a`)).text).toBe('..a');
    expect((await get(`${PROXY}/./.hidden//.hidden`)).text).toBe('.hidden');
  });

  it.each([
    ['a file', 'secret.txt', ''],
    ['a folder', '', '/secret.txt'],
    ['nowhere', 'not-there', ''],
    ['nowhere, through which a folder would be made', 'not-there', '/new/file'],
  ])('follows no link to %s outside', async (_what, target, rest) => {
    await put('d/a');
    await symlink(join(folder, target), join(root, 'link'));
    expect(refused(await get(`${PROXY}/link${rest}`))).toEqual(OUTSIDE);
    expect(refused(await call('PUT', `${PROXY}/link${rest}`, 'x'))).toEqual(OUTSIDE);
    expect(refused(await get(`${PROXY}?path=link${rest}`))).toEqual(OUTSIDE);
    if (rest) expect(refused(await call('DELETE', `${PROXY}/link${rest}`))).toEqual(OUTSIDE);
    expect(await readdir(folder)).toEqual(['root', 'secret.txt']);
    expect(await readFile(join(folder, 'secret.txt'), 'utf8')).toBe('secret');
  });

  it('follows no relative link and no chain of links outside, nor one in circles', async () => {
    await put('d/a');
    await symlink('../../secret.txt', join(root, 'd', 'up'));
    await symlink('d/up', join(root, 'chain'));
    await symlink('circle', join(root, 'circle'));
    for (const name of ['d/up', 'chain', 'circle']) expect(refused(await get(`${PROXY}/${name}`))).toEqual(OUTSIDE);
  });

  it('does not take a neighbour whose name begins alike for the root', async () => {
    await put('d/a');
    await mkdir(`${root}-private`);
    await writeFile(`${root}-private/file`, 'x');
    await symlink(`${root}-private`, join(root, 'link'));
    expect(refused(await get(`${PROXY}/link/file`))).toEqual(OUTSIDE);
  });

  it('follows links that stay inside, and a root that is one itself', async () => {
    await mkdir(join(folder, 'disk'));
    await symlink(join(folder, 'disk'), root);
    await put('d/a.txt');
    await symlink('d', join(root, 'link'));
    expect((await get(`${PROXY}/link/a.txt`)).text).toBe('abc');
    expect((await listed(`${PROXY}?path=link`)).files).toEqual([{ path: 'a.txt', is_dir: false, file_size: 3 }]);
  });

  it('deletes a link, not what it points to', async () => {
    await put('d/a');
    await mkdir(join(folder, 'other'));
    await writeFile(join(folder, 'other', 'kept'), 'x');
    await symlink(join(folder, 'other'), join(root, 'd', 'link'));
    expect((await call('DELETE', `${PROXY}/d/link`)).status).toBe(200);
    expect(await readdir(join(root, 'd'))).toEqual(['a']);
    await symlink(join(folder, 'other'), join(root, 'd', 'link'));
    expect((await call('DELETE', `${PROXY}/d`)).status).toBe(200);
    expect(await readdir(join(folder, 'other'))).toEqual(['kept']);
  });
});

describe('listing a folder', () => {
  it('shows one level, sizes of files only, none for an empty one', async () => {
    await put('d/b.txt');
    await put('d/sub/deep/c.txt');
    await put('d/empty', '');
    expect(await listed(`${PROXY}?path=d`)).toEqual({
      files: [
        { path: 'b.txt', is_dir: false, file_size: 3 },
        { path: 'empty', is_dir: false },
        { path: 'sub', is_dir: true },
      ],
    });
    expect(await listed(`${PROXY}?path=d%2Fsub`)).toEqual({ files: [{ path: 'deep', is_dir: true }] });
    expect(await listed('/ajax-api/2.0/mlflow-artifacts/artifacts')).toEqual({ files: [{ path: 'd', is_dir: true }] });
  });

  it("sorts by code points, as Python's strings do", async () => {
    for (const name of ['ü', 'a b', 'Z', '_', 'a', '\u{1f600}', '\uffee', '.h']) await put(`d/${name}`);
    const names = (await listed(`${PROXY}?path=d`)).files?.map(({ path }) => path);
    expect(names).toEqual(['.h', 'Z', '_', 'a', 'a b', 'ü', '\uffee', '\u{1f600}']);
  });

  it.each(['nope', 'nope/deeper', 'a.txt', 'a.txt/x', 'empty'])('is empty for %s', async (path) => {
    await put('a.txt');
    await mkdir(join(root, 'empty'));
    expect(await listed(`${PROXY}?path=${path}`)).toEqual({});
  });

  it('is empty before the root exists, and does not make it', async () => {
    expect(await listed(PROXY)).toEqual({});
    expect(existsSync(root)).toBe(false);
  });

  it('reads a plus as a blank and counts the first of several paths', async () => {
    await put('a b/c');
    expect((await listed(`${PROXY}?path=a+b&path=nope`)).files).toHaveLength(1);
  });

  it('leaves out links that lead outside or nowhere', async () => {
    await put('d/a');
    await symlink(folder, join(root, 'd', 'outside'));
    await symlink('gone', join(root, 'd', 'nowhere'));
    await symlink('a', join(root, 'd', 'alias'));
    expect((await listed(`${PROXY}?path=d`)).files?.map(({ path }) => path)).toEqual(['a', 'alias']);
  });
});

describe('download', () => {
  it('sends the file with its length, a strong tag and its date', async () => {
    await put('d/a.txt');
    const { status, headers, text } = await get(`${PROXY}/d/a.txt`);
    expect([status, text]).toEqual([200, 'abc']);
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '3',
      'content-disposition': 'attachment; filename=a.txt',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'last-modified': (await stat(join(root, 'd/a.txt'))).mtime.toUTCString(),
      etag: expect.stringMatching(/^"[0-9a-f-]+"$/),
    });
  });

  it('answers HEAD alike, without the content', async () => {
    await put('a.txt');
    const { status, headers, text } = await call('HEAD', `${PROXY}/a.txt`);
    expect([status, headers['content-length'], text]).toEqual([200, '3', '']);
  });

  it.each([
    ['a.json', 'text/plain'],
    ['a.csv', 'text/plain'],
    ['a.md', 'text/plain'],
    ['MLmodel', 'text/plain'],
    ['a.png', 'image/png'],
    ['a.PNG', 'image/png'],
    ['a.html', 'text/html; charset=utf-8'],
    ['a.pt', 'application/octet-stream'],
    ['model', 'application/octet-stream'],
    ['.json', 'application/octet-stream'],
  ])('%s is %s', async (name, type) => {
    await put(name);
    expect((await get(`${PROXY}/${name}`)).headers['content-type']).toBe(type);
  });

  it.each([
    ['a b.txt', 'a%20b.txt', 'attachment; filename="a b.txt"'],
    ['ü €.png', '%C3%BC%20%E2%82%AC.png', `attachment; filename="u .png"; filename*=UTF-8''%C3%BC%20%E2%82%AC.png`],
    ['日本', '%E6%97%A5%E6%9C%AC', `attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC`],
    ['é(1)*.txt', '%C3%A9(1)*.txt', `attachment; filename="e(1)*.txt"; filename*=UTF-8''%C3%A9%281%29%2A.txt`],
    ['a"b', 'a%22b', 'attachment; filename="a\\"b"'],
    ['a?b;c', 'a%3Fb;c', 'attachment; filename="a?b;c"'],
    ['50%', '50%25', 'attachment; filename=50%'],
  ])('sends %s under its name', async (name, escaped, disposition) => {
    expect((await call('PUT', `${PROXY}/d/${escaped}`, name)).status).toBe(200);
    expect(await readdir(join(root, 'd'))).toEqual([name]);
    const { text, headers } = await get(`${PROXY}/d/${escaped}`);
    expect([text, headers['content-disposition']]).toEqual([name, disposition]);
  });

  it.each([
    ['bytes=1-1', 'b', 'bytes 1-1/3'],
    ['bytes=1-', 'bc', 'bytes 1-2/3'],
    ['bytes=-2', 'bc', 'bytes 1-2/3'],
    ['bytes=0-99', 'abc', 'bytes 0-2/3'],
  ])('sends the range %s', async (range, content, contentRange) => {
    await put('a.txt');
    const { status, headers, text } = await get(`${PROXY}/a.txt`, { range });
    expect([status, text, headers['content-range']]).toEqual([206, content, contentRange]);
    expect(headers['content-length']).toBe(`${content.length}`);
  });

  it('refuses a range behind the end, without headers of a file', async () => {
    await put('a.txt');
    const { status, headers, text } = await get(`${PROXY}/a.txt`, { range: 'bytes=9-' });
    expect([status, text, headers['content-range']]).toEqual([416, '', 'bytes */3']);
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('content-disposition');
  });

  it('sends a range of the version asked for only, and nothing to who has it', async () => {
    await call('PUT', `${PROXY}/a.txt`, 'abc');
    const etag = (await get(`${PROXY}/a.txt`)).headers.etag ?? '';
    expect((await get(`${PROXY}/a.txt`, { range: 'bytes=1-', 'if-range': etag })).status).toBe(206);
    expect((await get(`${PROXY}/a.txt`, { 'if-none-match': etag })).status).toBe(304);
    await call('PUT', `${PROXY}/a.txt`, 'xyz');
    const { status, text } = await get(`${PROXY}/a.txt`, { range: 'bytes=1-', 'if-range': etag });
    expect([status, text]).toEqual([200, 'xyz']);
    expect((await get(`${PROXY}/a.txt`, { 'if-none-match': etag })).status).toBe(200);
  });

  it.each([
    ['nope', 404, 'RESOURCE_DOES_NOT_EXIST', "No such artifact: 'nope'"],
    ['d/a.txt/x', 404, 'RESOURCE_DOES_NOT_EXIST', "No such artifact: 'd/a.txt/x'"],
    ['d', 400, 'INVALID_PARAMETER_VALUE', "Artifact path refers to a directory, not a file: 'd'"],
    ['', 400, 'INVALID_PARAMETER_VALUE', "Artifact path refers to a directory, not a file: ''"],
    ['n'.repeat(300), 400, 'INVALID_PARAMETER_VALUE', 'Invalid path: a name in it is too long'],
  ])('refuses %j with %d', async (path, ...expected) => {
    await put('d/a.txt');
    expect(refused(await get(`${PROXY}/${path}`))).toEqual(expected);
  });
});

describe('upload', () => {
  it('stores into new folders and replaces', async () => {
    const { status, text, headers } = await call('PUT', `${PROXY}/1/r/artifacts/m/a.txt`, 'one');
    expect([status, text, headers['content-length'], headers['content-type']]).toEqual([200, '', '0', undefined]);
    expect((await call('PUT', `${PROXY}/1/r/artifacts/m/a.txt`, 'two')).status).toBe(200);
    expect((await get(`${PROXY}/1/r/artifacts/m/a.txt`)).text).toBe('two');
    expect(await readdir(join(root, '1/r/artifacts/m'))).toEqual(['a.txt']);
  });

  it('takes chunked and empty bodies', async () => {
    expect((await call('PUT', `${PROXY}/d/chunked`, 'abcd', chunked)).status).toBe(200);
    expect((await call('PUT', `${PROXY}/d/empty`)).status).toBe(200);
    expect(await readFile(join(root, 'd/chunked'), 'utf8')).toBe('abcd');
    expect(await readFile(join(root, 'd/empty'), 'utf8')).toBe('');
  });

  it.each([
    ['content-length: 100', 'abc'],
    ['transfer-encoding: chunked', '3\r\nabc\r\n'],
  ])('leaves nothing of a body that breaks off (%s), not even a folder', async (header, part) => {
    await put('old/a.txt', 'old');
    for (const path of ['new/folder/a.txt', 'old/a.txt']) {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`PUT ${PROXY}/${path} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n${part}`);
      await vi.waitFor(async () => expect((await everything()).join()).toContain('.artifact.uploading.'));
      expect(await readFile(join(root, 'old/a.txt'), 'utf8')).toBe('old');
      expect((await listed(PROXY)).files?.map((file) => file.path)).toEqual(['old']);
      socket.destroy();
      await vi.waitFor(async () => expect((await everything()).sort()).toEqual(['old', join('old', 'a.txt')]));
    }
    expect(await readFile(join(root, 'old/a.txt'), 'utf8')).toBe('old');
  });

  it.each([
    ['d', "Artifact path refers to a directory, or to a place inside a file: 'd'"],
    ['d/a.txt/x', "Artifact path refers to a directory, or to a place inside a file: 'd/a.txt/x'"],
    ['d/a.txt/x/y', "Artifact path refers to a directory, or to a place inside a file: 'd/a.txt/x/y'"],
    ['new%2f', "Artifact path must include a filename (cannot end with '/')."],
    ['new/.', "Artifact path must include a filename (cannot end with '/')."],
    ['d/', "Artifact path must include a filename (cannot end with '/')."],
    ['', "Artifact path must include a filename (cannot end with '/')."],
    ['.', "Artifact path must include a filename (cannot end with '/')."],
    [
      'd/.artifact.uploading.x',
      "Invalid artifact file name: '.artifact.uploading.x'. Artifact names starting with '.artifact.uploading.' are reserved.",
    ],
    ['n'.repeat(300), 'Invalid path: a name in it is too long'],
  ])('refuses %j', async (path, message) => {
    await put('d/a.txt');
    const body = Buffer.alloc(1024 * 1024);
    expect(refused(await call('PUT', `${PROXY}/${path}`, body))).toEqual([400, 'INVALID_PARAMETER_VALUE', message]);
    expect((await everything()).sort()).toEqual(['d', join('d', 'a.txt')]);
  });

  it('keeps the last of several at once, whole', async () => {
    const bodies = ['a', 'b', 'c'].map((char) => char.repeat(200_000));
    const answers = await Promise.all(bodies.map((body) => call('PUT', `${PROXY}/d/e/f`, body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(bodies).toContain(await readFile(join(root, 'd/e/f'), 'utf8'));
    expect(await everything()).toHaveLength(3);
  });
});

describe('delete', () => {
  it('removes a file, a folder with all in it, and takes what is not there for removed', async () => {
    await put('d/a.txt');
    await put('d/sub/b.txt');
    for (const path of ['d/a.txt', 'd/a.txt', 'nope', 'd/sub/b.txt/x']) {
      const { status, text, headers } = await call('DELETE', `${PROXY}/${path}`);
      expect([status, text, headers['content-type']]).toEqual([200, '{}', 'application/json']);
    }
    expect(await readdir(join(root, 'd', 'sub'))).toEqual(['b.txt']);
    const withBody = { headers: { 'content-length': '2' } };
    expect((await call('DELETE', `${PROXY}/d/`, '{}', withBody)).status).toBe(200);
    expect(await everything()).toEqual([]);
  });

  it.each(['', '.', './', '%2e', './/.'])('never removes the root, asked as %j', async (path) => {
    await put('d/a.txt');
    expect(refused(await call('DELETE', `${PROXY}/${path}`))).toEqual(INVALID);
    expect(await everything()).toHaveLength(2);
  });
});

describe("a run's artifacts", () => {
  const FOLDER = `7/${RUN}/artifacts`;

  it.each(['run_id', 'run_uuid'])('are listed by %s with paths from their root', async (parameter) => {
    await put(`${FOLDER}/m/sub/f.txt`);
    await put(`${FOLDER}/top.bin`);
    expect(await listed(`${LIST}?${parameter}=${RUN}`)).toEqual({
      root_uri: ROOT_URI,
      files: [
        { path: 'm', is_dir: true },
        { path: 'top.bin', is_dir: false, file_size: 3 },
      ],
    });
    expect(await listed(`/ajax-api/2.0/mlflow/artifacts/list?${parameter}=${RUN}&path=m/sub/`)).toEqual({
      root_uri: ROOT_URI,
      files: [{ path: 'm/sub/f.txt', is_dir: false, file_size: 3 }],
    });
  });

  it('are none where there is no folder', async () => {
    expect(await listed(`${LIST}?run_id=${RUN}`)).toEqual({ root_uri: ROOT_URI });
    expect(await listed(`${LIST}?run_id=${RUN}&path=nope`)).toEqual({ root_uri: ROOT_URI });
  });

  it('are downloaded as attachments, in ranges too', async () => {
    await put(`${FOLDER}/m/f.html`);
    const { status, text, headers } = await get(`/get-artifact?run_id=${RUN}&path=m/f.html`, { range: 'bytes=1-' });
    expect([status, text]).toEqual([206, 'bc']);
    expect(headers).toMatchObject({
      'content-disposition': 'attachment; filename=f.html',
      'cache-control': 'no-cache',
    });
    expect((await get(`/get-artifact?run_uuid=${RUN}&path=m/f.html`)).text).toBe('abc');
  });

  it('are uploaded by the UI, up to 10 MiB', async () => {
    const body = Buffer.alloc(LIMIT, 'x');
    const { status, text } = await call('POST', `${UPLOAD}?run_uuid=${RUN}&path=n/a.bin`, body);
    expect([status, text]).toEqual([200, '']);
    expect((await stat(join(root, FOLDER, 'n/a.bin'))).size).toBe(LIMIT);
  });

  it.each([{}, chunked])('beyond 10 MiB are refused, and the connection goes on (%j)', async (options) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answer = await call('POST', `${UPLOAD}?run_uuid=${RUN}&path=a.bin`, Buffer.alloc(2 * LIMIT), {
      ...options,
      agent,
    });
    expect(refused(answer)).toEqual([400, 'INVALID_PARAMETER_VALUE', 'Artifact size is too large. Max size is 10MB.']);
    expect((await call('GET', `${LIST}?run_id=${RUN}`, undefined, { agent })).status).toBe(200);
    expect(await everything()).toEqual([]);
    agent.destroy();
  });

  const invalid = (message: string) => [400, 'INVALID_PARAMETER_VALUE', message];
  const missing = (name: string) =>
    invalid(
      `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`,
    );
  const noRun = (id: string) => [404, 'RESOURCE_DOES_NOT_EXIST', `Run with id=${id} not found`];

  it.each([
    ['GET', LIST, missing('run_id')],
    ['GET', `${LIST}?run_id=nope`, noRun('nope')],
    ['GET', `${LIST}?run_id=nope&path=..`, INVALID],
    ['GET', `${LIST}?run_id=in-a-bucket`, invalid("The artifacts at 's3://bucket/7' are not kept by this server.")],
    ['GET', `/get-artifact?run_id=${RUN}`, missing('path')],
    ['GET', '/get-artifact?path=a', noRun('None')],
    ['GET', '/get-artifact?run_id=nope&path=a', noRun('nope')],
    ['GET', '/get-artifact?run_id=nope&path=../a', INVALID],
    [
      'GET',
      `/get-artifact?run_id=${RUN}&path=no`,
      [404, 'RESOURCE_DOES_NOT_EXIST', `No such artifact: '${FOLDER}/no'`],
    ],
    [
      'GET',
      `/get-artifact?run_id=${RUN}&path=m`,
      invalid(`Artifact path refers to a directory, not a file: '${FOLDER}/m'`),
    ],
    ['POST', `${UPLOAD}?run_id=${RUN}&path=a`, invalid('Request must specify run_uuid.')],
    ['POST', `${UPLOAD}?run_uuid=${RUN}`, invalid('Request must specify path.')],
    ['POST', `${UPLOAD}?run_uuid=${RUN}&path=a`, invalid('Request must specify data.')],
    ['POST', `${UPLOAD}?run_uuid=nope&path=a`, invalid('Request must specify data.')],
  ])('%s %s is refused', async (method, path, expected) => {
    await put(`${FOLDER}/m/f.txt`);
    expect(refused(await call(method, path))).toEqual(expected);
  });

  it('are not uploaded to a run that is not there', async () => {
    expect(refused(await call('POST', `${UPLOAD}?run_uuid=nope&path=a`, 'x'))).toEqual(noRun('nope'));
  });
});

describe('uploads and downloads past the server', () => {
  it.each([
    ['POST', 'mpu/create/d/a', 'upload'],
    ['POST', 'mpu/complete/a', 'upload'],
    ['POST', 'mpu/abort/a', 'upload'],
    ['GET', 'presigned/d/a', 'download'],
  ])('%s %s: there are none', async (method, path, direction) => {
    const body = method === 'POST' ? '{}' : undefined;
    const { status, text } = await call(method, `/ajax-api/2.0/mlflow-artifacts/${path}`, body);
    expect([status, JSON.parse(text)]).toEqual([
      501,
      {
        error_code: 'NOT_IMPLEMENTED',
        message: `Multipart ${direction} is not supported for the current artifact repository`,
      },
    ]);
  });
});
