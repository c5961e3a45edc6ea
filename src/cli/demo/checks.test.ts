import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { EventBody } from '../../domain/event.js';
import {
  commitsAreTheScopes,
  everyChangeFollows,
  everyLineIsThere,
  nobodyHeldTheSame,
  replayGivesTheFiles,
} from './checks.js';
import type { Change, History, Side } from './history.js';

function side(text: string | null): Side {
  if (text === null) return null;
  const bytes = Buffer.from(text);
  return { hash: createHash('sha256').update(bytes).digest('hex'), bytes };
}

function change(seq: number, agent: string, before: string | null, after: string | null): Change {
  return { seq, path: 'a.js', agent, scope: `S00${seq}`, before: side(before), after: side(after) };
}

function history(changes: readonly Change[], bodies: readonly EventBody[] = []): History {
  const common = { at: 0, wall: 0, agent: 'ada', connection: 'c', hash: '' };
  return { changes, events: bodies.map((body, at) => ({ ...common, seq: at + 1, body })) };
}

function files(text: string): ReadonlyMap<string, Uint8Array> {
  return new Map([['a.js', Buffer.from(text)]]);
}

const TWO = [change(1, 'ada', 'one\n', 'one\ntwo\n'), change(2, 'ben', 'one\ntwo\n', 'one\ntwo\nthree\n')];

test('changes that follow one another, and their files, pass', () => {
  expect(everyChangeFollows(history(TWO), files('one\n')).ok).toBe(true);
  expect(replayGivesTheFiles(history(TWO), files('one\n'), files('one\ntwo\nthree\n')).ok).toBe(true);
  expect(everyLineIsThere(history(TWO), files('one\ntwo\nthree\n')).ok).toBe(true);
});

test('promise 5: an update that another one overwrote is seen', () => {
  const overwritten = [change(1, 'ada', 'one\n', 'one\ntwo\n'), change(2, 'ben', 'one\n', 'one\nthree\n')];
  expect(everyChangeFollows(history(overwritten), files('one\n')).ok).toBe(false);
  expect(everyLineIsThere(history(overwritten), files('one\nthree\n'))).toMatchObject({
    ok: false,
    detail: 'a.js has lost "two"',
  });
});

test('promise 8: a file that is not as the ledger says is seen, and so is one that it does not know', () => {
  expect(replayGivesTheFiles(history(TWO), files('one\n'), files('one\ntwo\n')).ok).toBe(false);
  const more = new Map([...files('one\ntwo\nthree\n'), ['b.js', Buffer.from('')] as const]);
  expect(replayGivesTheFiles(history(TWO), files('one\n'), more).detail).toContain('b.js');
});

function opened(scope: string): EventBody {
  const contract = {
    title: 't',
    phase: 'build',
    units: [],
    consumes: [],
    produces: [],
    priority: 0,
    standing: false,
  } as const;
  return { type: 'scope.opened', scope, contract, by: 'ada', pending: [] };
}

function granted(scope: string, unit: string, generation: number): EventBody {
  const owner = { agent: 'ada', connection: 'c' };
  return { type: 'scope.granted', scope, units: [unit], mode: 'write', owner, generation, queued: false };
}

test('promise 1: two scopes that hold the same file at once are seen', () => {
  const apart = [opened('S001'), granted('S001', 'src/a.js', 1), opened('S002'), granted('S002', 'src/b.js', 2)];
  expect(nobodyHeldTheSame(history([], apart)).ok).toBe(true);
  const same = [opened('S001'), granted('S001', 'src/', 1), opened('S002'), granted('S002', 'src/b.js', 2)];
  expect(nobodyHeldTheSame(history([], same)).detail).toContain('src/b.js was granted to S002 while S001 held src/');
});

test('a commit with more or less than its scope changed is seen, and so is work that was left over', () => {
  const done: EventBody = { type: 'scope.done', scope: 'S001', summary: '', artifacts: [], commit: 'c1' };
  const one = history([change(1, 'ada', null, 'one\n')], [done]);
  const commit = { hash: 'c1', scope: 'S001', paths: ['a.js'] };
  expect(commitsAreTheScopes(one, [commit], '').ok).toBe(true);
  expect(commitsAreTheScopes(one, [{ ...commit, paths: ['a.js', 'b.js'] }], '').ok).toBe(false);
  expect(commitsAreTheScopes(one, [], '').ok).toBe(false);
  expect(commitsAreTheScopes(one, [commit], ' M a.js').ok).toBe(false);
});
