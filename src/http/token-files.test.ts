import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRefusal } from '../domain/refusal.js';
import { LiveTokens } from './live-tokens.js';
import { type NewToken, TokenFiles } from './token-files.js';

let folder: string;
let files: TokenFiles;
let live: LiveTokens;
let now: number;
let said: string[];
let ended: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-tokens-'));
  files = new TokenFiles(folder);
  [now, said, ended] = [Date.now(), [], []];
  live = new LiveTokens(
    files,
    (sentence) => said.push(sentence),
    () => now,
  );
  live.onEnd((name) => ended.push(name));
});

afterEach(() => {
  live.close();
  rmSync(folder, { recursive: true });
});

function made(token: NewToken): string {
  const answer = files.create(token, now);
  if (isRefusal(answer)) throw new Error(answer.sentence);
  return answer.token;
}

const none = (path: string): void => expect.fail(path);

test('a token is told once: what is kept gives neither it nor a way to it', () => {
  const token = made({ name: 'ada', role: 'agent', limits: { units: ['src/'], phases: ['build'] } });
  expect(token).toMatch(/^[\w-]{43}$/);
  const path = join(folder, 'tokens/ada');
  expect(readFileSync(path, 'utf8')).not.toContain(token);
  expect([statSync(path).mode & 0o777, statSync(join(folder, 'tokens')).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(readdirSync(join(folder, 'tokens'))).toEqual(['ada']);
  expect(live.check(token)).toEqual({ name: 'ada', role: 'agent', limits: { units: ['src/'], phases: ['build'] } });
  expect(live.check(`${token.slice(0, -1)}_`)).toBeUndefined();
  expect(files.list(none)).toMatchObject([
    { name: 'ada', created: now, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

test('a revoked token lets nobody in from the next request on, and its end is told once', () => {
  const [ada, ben] = [made({ name: 'ada', role: 'agent' }), made({ name: 'ben', role: 'observer' })];
  expect([live.check(ada)?.name, live.check(ben)?.name]).toEqual(['ada', 'ben']);
  expect(new TokenFiles(folder).revoke('ada')).toBeUndefined();
  expect([live.check(ada), live.check(ben)?.name]).toEqual([undefined, 'ben']);
  expect(ended).toEqual(['ada']);
  expect(files.revoke('ada')).toMatchObject({ code: 'NOT_FOUND' });
});

test('a new token of an old name is another one', () => {
  const first = made({ name: 'ada', role: 'agent' });
  live.check(first);
  files.revoke('ada');
  const second = made({ name: 'ada', role: 'agent' });
  expect([live.check(first), live.check(second)?.name, ended]).toEqual([undefined, 'ada', ['ada']]);
});

test('an expired token lets nobody in, and says so though nothing on the disk changed', () => {
  const token = made({ name: 'ada', role: 'agent', expires: now + 10_000 });
  now += 9_999;
  expect(live.check(token)?.name).toBe('ada');
  now += 1;
  expect([live.check(token), ended]).toEqual([undefined, ['ada']]);
});

test('the first token is the same ever after, until it is revoked', () => {
  const { token } = files.first();
  expect(new TokenFiles(folder).first().token).toBe(token);
  expect(live.check(token)).toEqual({ name: 'operator', role: 'operator' });
  expect(files.create({ name: 'operator', role: 'operator' }, now)).toMatchObject({ code: 'INVALID' });
  files.revoke('operator');
  expect(live.check(token)).toBeUndefined();
  expect(files.first().token).not.toBe(token);
});

test('names that are taken, or lead out of the folder, are refused', () => {
  made({ name: 'ada', role: 'agent' });
  const codes = ['ada', '../token', 'a/b', '', '.hidden', 'a b', 'x'.repeat(65)].map((name) => {
    const answer = files.create({ name, role: 'agent' }, now);
    return isRefusal(answer) && answer.code;
  });
  expect(new Set(codes)).toEqual(new Set(['INVALID']));
  expect(files.revoke('../token')).toMatchObject({ code: 'INVALID' });
});

test('promise 11: a file that holds no token lets nobody in, and is named once', () => {
  const token = made({ name: 'ada', role: 'agent' });
  writeFileSync(join(folder, 'tokens/bad'), '{"role":"god"}');
  expect([live.check(token)?.name, live.check('x')]).toEqual(['ada', undefined]);
  expect(said).toEqual([expect.stringContaining('tokens/bad holds no token')]);
  rmSync(join(folder, 'tokens'), { recursive: true });
  expect([live.check(token), ended]).toEqual([undefined, ['ada']]);
});
