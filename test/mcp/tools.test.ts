import { describe, expect, test } from 'vitest';
import { type Agent, type Era, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';

const DOORS: { readonly door: string; readonly era: Era; open(root: string, name: string): Promise<Agent> }[] = [
  { door: 'stdio', era: 'legacy', open: (root, name) => stdioAgent(root, name, 'legacy') },
  { door: 'stdio', era: 'modern', open: (root, name) => stdioAgent(root, name, 'modern') },
  { door: 'http', era: 'legacy', open: async (root, name) => httpAgent(await serve(root), name, 'legacy') },
  { door: 'http', era: 'modern', open: async (root, name) => httpAgent(await serve(root), name, 'modern') },
];

describe.each(DOORS)('over $door with a $era client', ({ open }) => {
  test('every tool does its work', async () => {
    const { root, text, git } = newWorkspace({ 'src/a.txt': 'one\ntwo\nthree\n' });
    const ada = await open(root, 'ada');
    const opened = await ada.ok('open_scope', { title: 'Tidy up', units: ['docs/'] });
    expect(opened.id).toBe('S001');
    const claimed = await ada.ok('claim_scope', { title: 'Change a', units: ['src/'] });
    expect(claimed).toMatchObject({ id: 'S002', status: 'active', units: ['src/'] });
    const read = await ada.ok('read', { paths: ['src/a.txt'] });
    expect(read.files[0]).toMatchObject({ text: 'one\ntwo\nthree\n', total_lines: 3 });
    const patched = await ada.ok('patch', {
      scope: claimed.scope,
      edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }],
    });
    expect(patched.files[0]).toMatchObject({ path: 'src/a.txt', added: 1, removed: 1 });
    expect(text('src/a.txt')).toBe('one\nzwei\nthree\n');
    const ran = await ada.ok('run', { scope: claimed.scope, command: 'cat src/a.txt && echo four >> src/a.txt' });
    expect(ran).toMatchObject({ state: 'exited', exit_code: 0, changed: [{ path: 'src/a.txt' }], rejected: [] });
    expect(ran.output).toContain('zwei');
    expect(text('src/a.txt')).toBe('one\nzwei\nthree\nfour\n');
    const listed = await ada.ok('list_scopes', {});
    expect(listed.scopes.map((scope: { id: string }) => scope.id)).toEqual(['S002', 'S001']);
    const published = await ada.ok('publish_output', {
      scope: claimed.scope,
      summary: 'Changed a',
      artifacts: [{ type: 'file', path: 'src/a.txt' }],
    });
    expect(published).toMatchObject({ id: 'S002', status: 'done' });
    expect(git('show', 'HEAD:src/a.txt')).toBe('one\nzwei\nthree\nfour\n');
    expect(git('log', '-1', '--format=%B')).toContain('Scope: S002');
    expect(git('status', '--short')).toBe('');
    const artifact = await ada.ok('read', { paths: [`artifact:${published.artifacts[0].hash}`] });
    expect(artifact.files[0].text).toBe('one\nzwei\nthree\nfour\n');
    const again = await ada.ok('claim_scope', { scope: 'S001' });
    const released = await ada.ok('release_scope', { scope: again.scope });
    expect(released).toMatchObject({ id: 'S001', status: 'open' });
  });
});

test('a list shows who is at work and who waits first, then the newest, and cuts what is old', async () => {
  const { root } = newWorkspace({ 'src/a.txt': 'one\n' });
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ada.ok('claim_scope', { title: 'At work', units: ['src/a.txt'] });
  await ben.ok('claim_scope', { title: 'Next', units: ['src/'], wait_s: 0 });
  for (let number = 3; number <= 24; number++) await ada.ok('open_scope', { title: `Open ${number}` });
  const { text, data } = await ada.call('list_scopes');
  const newest = Array.from({ length: 22 }, (_, place) => `S0${String(24 - place).padStart(2, '0')}`);
  expect(data.scopes.map((scope: { id: string }) => scope.id)).toEqual(['S001', 'S002', ...newest]);
  expect(text.match(/^ {2}S\d+/gm)?.map((id) => id.trim())).toEqual(['S001', 'S002', ...newest.slice(0, 18)]);
  expect(text.trimEnd().split('\n').at(-1)).toBe('  4 more');
});
