import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = {
  'src/a.txt': 'one\ntwo\nthree\n',
  'src/twice.txt': 'x\ny\nx\n',
  'src/mixed.txt': 'one\r\ntwo\n',
};

function hunk(path: string, old: string, young: string): string {
  return `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${old}\n+${young}\n`;
}

test('promise 5: what does not match exactly and once is refused, in edits and in diffs', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const noMatch = (args: object) => refused(ada, 'NO_MATCH', 'patch', args);
  await noMatch({ edits: [{ path: 'src/a.txt', old_string: 'four', new_string: 'vier' }] });
  await noMatch({ edits: [{ path: 'src/a.txt', old_string: 'ONE', new_string: 'eins' }] });
  const numbered = await noMatch({ edits: [{ path: 'src/a.txt', old_string: '     1\tone', new_string: 'eins' }] });
  expect(numbered.text).toContain('line numbers of a listing');
  const twice = await noMatch({ edits: [{ path: 'src/twice.txt', old_string: 'x', new_string: 'z' }] });
  expect(twice.text).toContain('lines: 1, 3');
  const endings = await noMatch({ edits: [{ path: 'src/mixed.txt', old_string: 'one\ntwo', new_string: 'z' }] });
  expect(endings.text).toContain('only the line endings differ');
  await noMatch({ diff: hunk('src/a.txt', 'four', 'vier') });
  for (const header of ['@@ @@', '@@ -1 +1 @@', '@@ -3 +3 @@', '@@ -2 +2 @@']) {
    const several = await noMatch({ diff: hunk('src/twice.txt', 'x', 'z').replace('@@ -1 +1 @@', header) });
    expect(several.text).toContain('2 times, at lines 1, 3');
    expect(several.text).toContain('Add unchanged lines around the change');
  }
  for (const header of ['@@ -3,0 +4 @@', '@@ -0,0 +1 @@', '@@']) {
    const nowhere = await noMatch({ diff: `--- a/src/a.txt\n+++ b/src/a.txt\n${header}\n+new\n` });
    expect(nowhere.text).toContain('nothing says where');
  }
  await noMatch({ diff: '*** Begin Patch\n*** Update File: src/a.txt\n@@\n-four\n+vier\n*** End Patch\n' });
  const half = [
    { path: 'src/a.txt', old_string: 'one', new_string: 'eins' },
    { path: 'src/twice.txt', old_string: 'nowhere', new_string: 'z' },
  ];
  await noMatch({ edits: half });
});

test('promise 5: a stale diff does not change the place that its line number now points to', async () => {
  const old = 'fn a {\n  x\n}\nfn b {\n  x\n}\n';
  const workspace = newWorkspace({ 'a.txt': old });
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  workspace.write('a.txt', `1\n2\n3\n${old}`);
  const stale = '--- a/a.txt\n+++ b/a.txt\n@@ -5,2 +5,2 @@\n   x\n-}\n+} // of b\n';
  await refused(ada, 'NO_MATCH', 'patch', { diff: stale });
  const begun = stale.replace(/^.*\n.*\n/, '*** Begin Patch\n*** Update File: a.txt\n');
  await refused(ada, 'NO_MATCH', 'patch', { diff: `${begun}*** End Patch\n` });
  const anchored = begun.replace(/@@.*@@/, '@@ fn b {');
  await ada.ok('patch', { diff: `${anchored}*** End Patch\n` });
  expect(workspace.text('a.txt')).toBe(`1\n2\n3\n${old.slice(0, -2)}} // of b\n`);
});

test('promise 5: a stale or unknown base is refused with what changed since', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const { files } = await ada.ok('read', { paths: ['src/a.txt'] });
  const base = files[0].version.slice(0, 10);
  await ada.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei', base }] });
  const stale = (edit: object) => refused(ada, 'STALE_BASE', 'patch', { edits: [{ path: 'src/a.txt', ...edit }] });
  const overlapping = await stale({ old_string: 'two', new_string: 'deux', base });
  expect(overlapping.data.facts.difference).toContain('-two\n+zwei\n');
  await stale({ content: 'mine\n', base });
  await stale({ delete: true, base });
  await stale({ content: 'mine\n', base: 'f'.repeat(64) });
  await stale({ old_string: 'one', new_string: 'eins', base: '0123456789' });
  const over = { path: 'src/twice.txt', move_to: 'src/a.txt', base };
  await refused(ada, 'STALE_BASE', 'patch', { edits: [over] });
  const gone = { path: 'src/none.txt', content: 'x', base };
  await refused(ada, 'STALE_BASE', 'patch', { edits: [gone] });
});

test('what is not there cannot be edited, and a binary has no text', async () => {
  const workspace = newWorkspace(FILES);
  writeFileSync(join(workspace.root, 'src/nul.dat'), 'a\0b');
  writeFileSync(join(workspace.root, 'src/latin.txt'), Buffer.from([0x61, 0xe9, 0x0a]));
  const { refused, unread } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const replace = { old_string: 'a', new_string: 'b' };
  for (const edit of [replace, { delete: true }, { move_to: 'src/b.txt' }, { ...replace, base: '0123456789' }]) {
    await refused(ada, 'NOT_FOUND', 'patch', { edits: [{ path: 'src/none.txt', ...edit }] });
  }
  await refused(ada, 'NOT_FOUND', 'patch', { diff: hunk('src/none.txt', 'a', 'b') });
  for (const path of ['src/nul.dat', 'src/latin.txt']) {
    await unread(ada, 'BINARY', path);
    await refused(ada, 'BINARY', 'patch', { edits: [{ path, ...replace }] });
    await refused(ada, 'BINARY', 'patch', { diff: hunk(path, 'a', 'b') });
  }
  await refused(ada, 'BINARY', 'patch', {
    diff: 'diff --git a/src/x b/src/x\nnew file mode 100644\nindex 000..111\nGIT binary patch\nliteral 1\n',
  });
});

test('promise 12: beyond every limit there is a refusal', async () => {
  const workspace = newWorkspace({ ...FILES, 'src/many.txt': 'a'.repeat(100_000) });
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const limit = (tool: string, args: object) => refused(ada, 'LIMIT', tool, args);
  const edits = <T>(count: number, of: (n: number) => T) => Array.from({ length: count }, (_, n) => of(n));
  await limit('patch', { edits: edits(1_001, (n) => ({ path: `new/${n}`, content: 'x' })) });
  const sections = edits(1_001, (n) => `--- /dev/null\n+++ b/new/${n}\n@@ -0,0 +1 @@\n+x\n`);
  await limit('patch', { diff: sections.join('') });
  await limit('patch', { diff: `--- a/src/a.txt\n+++ b/src/a.txt\n${'@@ -1 +1 @@\n-one\n+eins\n'.repeat(100_000)}` });
  const bomb = { path: 'src/many.txt', old_string: 'a', new_string: 'b'.repeat(1_000), replace_all: true };
  await limit('patch', { edits: [bomb] });
  await refused(ada, 'INVALID', 'patch', { edits: [{ path: 'new', content: 'x'.repeat(8_000_001) }] });
  await refused(ada, 'INVALID', 'open_scope', { title: 't', note: 'x'.repeat(10_001) });
  await refused(ada, 'INVALID', 'run', { command: `true ${'x'.repeat(100_000)}` });
  await limit('run', { command: 'true', env: edits(20, (n) => `A${n}=${'x'.repeat(30_000)}`) });
  const first = await ada.ok('claim_scope', { title: 't', units: edits(1_000, (n) => `first/${n}`) });
  await limit('claim_scope', { scope: first.scope, units: ['second'] });
  await limit('patch', { scope: first.scope, edits: [{ path: 'second', content: 'x' }] });
});

test('a large file is shown in parts, and the budget of a call holds', async () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n + 1}\n`);
  const { root } = newWorkspace({ 'long.txt': lines.join(''), 'wide.txt': 'x'.repeat(1_000_000) });
  const ada = await stdioAgent(root, 'ada');
  const seen: string[] = [];
  for (let from = 1; from <= 5_000; ) {
    const { files } = await ada.ok('read', { paths: [`long.txt:${from}-5000`] });
    seen.push(files[0].text);
    from = files[0].to + 1;
  }
  expect(seen.join('')).toBe(lines.join(''));
  const wide = await ada.call('read', { paths: ['wide.txt', 'long.txt'] });
  expect(wide.text).toContain('line 1 is longer than one call can show: use run for the rest of it) ===');
  expect(wide.text).toContain('none of 5000 lines, for want of room, cut: go on with long.txt:1-5000) ===');
  const { files } = await ada.ok('read', { paths: ['wide.txt', 'long.txt', 'wide.txt'] });
  const total = files.map((file: { text: string }) => file.text.length).reduce((a: number, b: number) => a + b, 0);
  expect(total).toBeLessThanOrEqual(20_000);
  expect(files).toMatchObject([{ truncated: true }, { truncated: true }, { truncated: true }]);
});
