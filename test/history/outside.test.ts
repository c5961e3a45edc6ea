import { createHash } from 'node:crypto';
import { chmodSync, closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Event, EventBody } from '../../src/domain/event.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { nextApplying } from './moments.js';

const WITHOUT_COMMITS = 'publish:\n  commit: none\n';
const LINES = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join('');
const SAVES = 30;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

type OutsideBody = Extract<EventBody, { type: 'files.outside' }>;

function outsideEdits(events: readonly Event[]): OutsideBody[] {
  return events.flatMap(({ body }) => (body.type === 'files.outside' ? [body] : []));
}

/** An agent that has changed line 0 and read the file again, and a person who then edits it by hand. */
async function editedByHand(edit: (text: string) => string) {
  const workspace = newWorkspace({ 'a.txt': LINES, 'signalbox.yaml': WITHOUT_COMMITS });
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Change a', units: ['a.txt'] });
  await ada.ok('patch', { scope, edits: [{ path: 'a.txt', old_string: 'line 0\n', new_string: 'line zero\n' }] });
  const { files } = await ada.ok('read', { paths: ['a.txt'] });
  const [{ text: read, version: base }] = files;
  const byHand = edit(read);
  workspace.write('a.txt', byHand);
  return { workspace, ada, scope, read, base, byHand };
}

test('promises 5 and 8: a patch is rebased onto lines that were changed by hand elsewhere in the file', async () => {
  const { workspace, ada, scope, base, byHand } = await editedByHand((text) => text.replace('line 19\n', 'by hand\n'));
  const edits = [{ path: 'a.txt', old_string: 'line 3\n', new_string: 'line three\n', base }];
  const patched = await ada.ok('patch', { scope, edits });
  expect(patched.files[0]).toMatchObject({ rebased: true, added: 1, removed: 1 });
  expect(workspace.text('a.txt')).toBe(byHand.replace('line 3\n', 'line three\n'));
  const events = await workspace.events();
  expect(outsideEdits(events).map(({ files }) => files)).toMatchObject([[{ before: base, after: hashOf(byHand) }]]);
  expect(judge(events).faults).toEqual([]);
});

test.each([
  { kind: 'a replacement', change: () => ({ old_string: 'line 3\n', new_string: 'line three\n' }) },
  { kind: 'the whole file', change: (read: string) => ({ content: read.replace('line 3\n', 'line three\n') }) },
])(
  'promises 5 and 8: $kind is refused where the same lines were changed by hand, and shows them',
  async ({ change }) => {
    const { workspace, ada, scope, base, read, byHand } = await editedByHand((text) =>
      text.replace('line 3\n', 'by hand\n'),
    );
    const edits = [{ path: 'a.txt', base, ...change(read) }];
    const answer = await ada.refused('STALE_BASE', 'patch', { scope, edits });
    expect(answer.text).toContain('+by hand');
    expect(workspace.text('a.txt')).toBe(byHand);
    const outside = outsideEdits(await workspace.events());
    expect(outside.map(({ files }) => files)).toMatchObject([[{ before: base, after: hashOf(byHand) }]]);
  },
);

test('promises 5 and 8: without a base, text that was changed by hand is not there to be replaced', async () => {
  const { workspace, ada, scope, byHand } = await editedByHand((text) => text.replace('line 3\n', 'by hand\n'));
  const edits = [{ path: 'a.txt', old_string: 'line 3\n', new_string: 'line three\n' }];
  await ada.refused('NO_MATCH', 'patch', { scope, edits });
  expect(workspace.text('a.txt')).toBe(byHand);
  expect(outsideEdits(await workspace.events())).toHaveLength(1);
});

test('promise 8: a file that was made by hand where a patch wants a new one stays as it is', async () => {
  const { workspace, ada, scope } = await editedByHand((text) => text);
  workspace.write('new.txt', 'by hand\n');
  await ada.refused('INVALID', 'patch', { scope, edits: [{ path: 'new.txt', content: 'by ada\n' }] });
  expect(workspace.text('new.txt')).toBe('by hand\n');
});

test('promise 8: what a person saves in place into a file that is being replaced is found', async () => {
  const start = `count 00\n${LINES}saved --\n`;
  const { root, text, store } = newWorkspace({ 'a.txt': start, 'signalbox.yaml': WITHOUT_COMMITS });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Change a', units: ['a.txt'] });
  const saves: string[] = [];
  for (let save = 0; save < SAVES; save++) saves.push(await saveDuringPatch(root, ada, scope, save));

  const ledger = await store();
  const read = () => ledger.events({ after: 0, limit: 100_000 });
  let events = await read();
  for (let found = seen(events); saves.some((saved) => !found.has(hashOf(saved))); found = seen(events)) {
    await ledger.changed(events.at(-1)?.seq ?? 0, AbortSignal.timeout(10_000));
    const next = await read();
    if (next.length === events.length) break;
    events = next;
  }
  expect(saves.filter((saved) => !seen(events).has(hashOf(saved)))).toEqual([]);

  const late = outsideEdits(events).flatMap(({ kept = [] }) => kept);
  expect(late.length, 'saves that came too late were seen').toBeGreaterThan(0);
  const conflicts = events.flatMap(({ body }) =>
    body.type === 'scope.opened' && body.contract.conflict ? [body.contract] : [],
  );
  expect(conflicts.map(({ cause }) => cause).toSorted()).toEqual(late.map((hash) => `late:a.txt:${hash}`).toSorted());
  for (const hash of late) {
    const { files } = await ada.ok('read', { paths: [`artifact:${hash}`] });
    expect(saves).toContain(files[0].text);
  }
  expect(text('a.txt')).toContain(counted(SAVES));
});

/** Opens the file as an editor does, and writes into it, in one stroke, when a patch of it has just begun to be applied. */
async function saveDuringPatch(root: string, ada: Agent, scope: string, save: number): Promise<string> {
  const file = openSync(join(root, 'a.txt'), 'r+');
  const found = readFileSync(file, 'utf8');
  const saved = found.replace(/^saved ..$/m, `saved ${twoDigits(save)}`);
  const count = Number(/^count (\d+)$/m.exec(found)?.[1]);
  const edits = [{ path: 'a.txt', old_string: counted(count), new_string: counted(count + 1) }];
  const patched = ada.ok('patch', { scope, edits });
  await nextApplying(root, patched);
  writeSync(file, saved, 0);
  closeSync(file);
  await patched;
  return saved;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

function counted(count: number): string {
  return `count ${twoDigits(count)}\n`;
}

/** All versions that are on record as edits from outside, in the file or saved beside it. */
function seen(events: readonly Event[]): Set<string | null> {
  return new Set(outsideEdits(events).flatMap(({ files, kept = [] }) => [...kept, ...files.map(({ after }) => after)]));
}

test('an edit from outside beside the own lines is told to the holder, once', async () => {
  const { workspace, ada, scope } = await editedByHand((text) => text.replace('line 19\n', 'by hand\n'));
  await ada.ok('read', { paths: ['a.txt'] });
  const patched = await ada.call('patch', { scope, edits: [{ path: 'b.txt', content: 'b\n' }] });
  expect(patched.data.notes).toEqual([
    { scope: 'S001', from: 'signalbox', text: expect.stringContaining('a.txt was edited outside Signalbox') },
  ]);
  expect(patched.text).toContain('Note for S001 from signalbox: a.txt');
  const again = await ada.call('patch', { scope, edits: [{ path: 'c.txt', content: 'c\n' }] });
  expect(again.data.notes).toBeUndefined();
  expect((await workspace.events()).filter(({ body }) => body.type === 'scope.opened')).toHaveLength(1);
});

test('an edit from outside of lines that the scope changed is a conflict scope, one for all retries, whose end both hear of', async () => {
  const { workspace, ada, scope, read, byHand } = await editedByHand((text) => text.replace('line zero\n', 'mine\n'));
  await ada.ok('read', { paths: ['a.txt'] });
  workspace.write('a.txt', `${byHand}more\n`);
  await ada.ok('read', { paths: ['a.txt'] });
  const { scopes } = await ada.ok('list_scopes', { phase: 'iterate' });
  expect(scopes).toMatchObject([{ id: 'S002', status: 'open', units: ['a.txt'] }]);
  expect(scopes[0].title).toContain('Conflict in a.txt');
  const sides = (await workspace.events()).flatMap(({ body }) =>
    body.type === 'scope.opened' ? (body.contract.conflict?.sides ?? []) : [],
  );
  const { files } = await ada.ok('read', { paths: sides.map((hash) => `artifact:${hash}`) });
  expect(files.map((file: { text: string }) => file.text)).toEqual([read, byHand]);
  await ada.ok('release_scope', { scope });
  const ben = await stdioAgent(workspace.root, 'ben');
  const taken = await ben.ok('claim_scope', { phase: 'iterate' });
  expect(taken.id).toBe('S002');
  await ada.ok('claim_scope', { scope: 'S001', wait_s: 0 });
  await ben.ok('publish_output', { scope: taken.scope, summary: 'Kept both' });
  const told = await ada.call('claim_scope', { scope: 'S001' });
  expect(told.data.notes).toEqual([
    { scope: 'S001', from: 'S002', text: 'the conflict in a.txt is resolved: Kept both' },
  ]);
  expect(judge(await workspace.events()).faults).toEqual([]);
});

test('promise 8: a patch that is the first to see an edit from outside does not hide it', async () => {
  const { workspace, ada, scope, byHand } = await editedByHand((text) => text.replace('line zero\n', 'mine\n'));
  chmodSync(join(workspace.root, 'a.txt'), 0o755);
  const edits = [{ path: 'a.txt', old_string: 'line 15\n', new_string: 'line fifteen\n' }];
  const patched = await ada.ok('patch', { scope, edits });
  expect(patched.files).toMatchObject([{ path: 'a.txt', outside: true, added: 1, removed: 1 }]);
  expect(workspace.text('a.txt')).toBe(byHand.replace('line 15\n', 'line fifteen\n'));
  const { scopes } = await ada.ok('list_scopes', { phase: 'iterate' });
  expect(scopes).toMatchObject([
    { id: 'S002', status: 'open', title: expect.stringContaining('changed lines of S001') },
  ]);
  await ada.ok('patch', { scope, edits: [{ path: 'a.txt', old_string: 'line 16\n', new_string: 'line sixteen\n' }] });
  const events = await workspace.events();
  const files = [{ path: 'a.txt', after: hashOf(byHand), mode: 0o755 }];
  expect(outsideEdits(events)).toMatchObject([{ files }]);
  expect(judge(events).faults).toEqual([]);
});

test('an edit from outside beside the own lines is told with the patch that finds it', async () => {
  const { ada, scope } = await editedByHand((text) => text.replace('line 19\n', 'by hand\n'));
  const edits = [{ path: 'a.txt', old_string: 'line 3\n', new_string: 'line three\n' }];
  const { data } = await ada.call('patch', { scope, edits });
  expect(data.files).toMatchObject([{ outside: true }]);
  expect(data.notes).toMatchObject([{ scope: 'S001', text: expect.stringContaining('a.txt was edited outside') }]);
  expect((await ada.ok('list_scopes', { phase: 'iterate' })).scopes).toEqual([]);
});

test('promise 8: a file that was deleted outside is noticed, once, and what the scope had changed in it is not lost', async () => {
  const { workspace, ada, scope, read } = await editedByHand((text) => text);
  await ada.ok('patch', { scope, edits: [{ path: 'new.txt', content: 'new\n' }] });
  for (const path of ['a.txt', 'new.txt']) rmSync(join(workspace.root, path));
  for (let times = 0; times < 2; times++) {
    const { files } = await ada.ok('read', { paths: ['a.txt', 'new.txt', 'never.txt'] });
    expect(files.map(({ error }: { error?: string }) => error?.slice(0, 9))).toEqual(Array(3).fill('NOT_FOUND'));
  }
  const outside = outsideEdits(await workspace.events()).flatMap(({ files }) => files);
  expect(outside).toEqual([
    { path: 'a.txt', before: hashOf(read), after: null },
    { path: 'new.txt', before: hashOf('new\n'), after: null },
  ]);
  const { scopes } = await ada.ok('list_scopes', { phase: 'iterate' });
  expect(scopes).toMatchObject([{ units: ['a.txt'], title: expect.stringContaining('deleted what S001 had changed') }]);
  const { files } = await ada.ok('read', { paths: [`artifact:${hashOf(read)}`] });
  expect(files[0].text).toBe(read);
  const patched = await ada.call('patch', { scope, edits: [{ path: 'a.txt', content: read }] });
  expect(patched.data.notes).toMatchObject([
    { text: expect.stringContaining('new.txt was deleted outside Signalbox') },
  ]);
  workspace.write('new.txt', 'by hand\n');
  await ada.ok('read', { paths: ['new.txt'] });
  expect(outsideEdits(await workspace.events()).at(-1)?.files).toMatchObject([
    { path: 'new.txt', before: null, after: hashOf('by hand\n') },
  ]);
});

test('promise 8: a patch that does not find a file records that it was deleted', async () => {
  const { workspace, ada, scope, read } = await editedByHand((text) => text);
  rmSync(join(workspace.root, 'a.txt'));
  const edits = [{ path: 'a.txt', old_string: 'line 3\n', new_string: 'line three\n' }];
  await ada.refused('NOT_FOUND', 'patch', { scope, edits });
  expect(outsideEdits(await workspace.events()).flatMap(({ files }) => files)).toEqual([
    { path: 'a.txt', before: hashOf(read), after: null },
  ]);
});
