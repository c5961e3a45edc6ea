import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const line = (n: number) => `line ${n}\n`;
const LINES = Array.from({ length: 20 }, (_, n) => line(n)).join('');

/** What the scope makes of it: two of its lines are changed. */
const OWN = LINES.replace(line(5), 'five\n').replace(line(15), 'fifteen\n');

interface Stage extends TestWorkspace {
  readonly ada: Agent;
  readonly scope: string;
  /** A person edits the file. */
  edit(from: string, to: string): void;
  publish(): Promise<{ readonly status: string; readonly commit?: string }>;
  refused(): Promise<string>;
  committed(): string;
}

/** A scope that has changed `a.txt` and has not published yet. */
async function changed(): Promise<Stage> {
  const workspace = newWorkspace({ 'a.txt': LINES });
  const { root, write, text, git } = workspace;
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Count', units: ['a.txt', 'new.txt'] });
  await replace(ada, scope, line(5), 'five\n');
  await replace(ada, scope, line(15), 'fifteen\n');
  return {
    ...workspace,
    ada,
    scope,
    edit: (from, to) => write('a.txt', text('a.txt').replace(from, to)),
    publish: () => ada.ok('publish_output', { scope, summary: 'Counted' }),
    refused: async () => {
      const { text: said } = await ada.refused('STALE_BASE', 'publish_output', { scope, summary: 'Counted' });
      expect(git('log', '--format=%s').trim()).toBe('Begin');
      return said;
    },
    committed: () => git('show', 'HEAD:a.txt'),
  };
}

function replace(agent: Agent, scope: string, from: string, to: string) {
  return agent.ok('patch', { scope, edits: [{ path: 'a.txt', old_string: from, new_string: to }] });
}

const outside = async ({ events }: TestWorkspace) =>
  (await events()).flatMap(({ body }) => (body.type === 'files.outside' ? body.files : []));

describe('promise 8: what others did to the file is not published, and does not hinder it', () => {
  test.each([
    ['far from its lines', line(0), 'by hand\n'],
    ['beside its lines', line(6), 'by hand\n'],
    ['between its lines', line(10), ''],
    ['behind its lines', 'fifteen\n', 'fifteen\nby hand\n'],
  ])('an edit %s', async (_, from, to) => {
    const stage = await changed();
    stage.edit(from, to);
    expect(await stage.publish()).toMatchObject({ status: 'done' });
    expect(stage.committed()).toBe(OWN);
    expect(stage.text('a.txt')).toBe(OWN.replace(from, to));
    expect(stage.git('status', '--short')).toBe(' M a.txt\n');
    expect(await outside(stage)).toMatchObject([{ path: 'a.txt' }]);
  });

  test('more lines in a file that the scope made', async () => {
    const stage = await changed();
    const { ada, scope, write, git } = stage;
    await ada.ok('patch', { scope, edits: [{ path: 'new.txt', content: 'one\ntwo\n' }] });
    write('new.txt', 'by hand\none\nby hand\ntwo\nby hand\n');
    await stage.publish();
    expect(git('show', 'HEAD:new.txt')).toBe('one\ntwo\n');
  });

  test('the work of a scope that came between, which is published by itself', async () => {
    const stage = await changed();
    const { ada, root, git } = stage;
    await ada.ok('release_scope', {});
    const ben = await stdioAgent(root, 'ben');
    const theirs = await ben.ok('claim_scope', { title: 'Begin', units: ['a.txt'] });
    await replace(ben, theirs.scope, line(0), 'zero\n');
    await ben.ok('publish_output', { scope: theirs.scope, summary: 's' });
    expect(stage.committed()).toBe(LINES.replace(line(0), 'zero\n'));
    const again = await ada.ok('claim_scope', { scope: 'S001' });
    expect(await ada.ok('publish_output', { scope: again.scope, summary: 's' })).toMatchObject({ status: 'done' });
    expect(stage.committed()).toBe(OWN.replace(line(0), 'zero\n'));
    expect(git('status', '--short')).toBe('');
  });

  test('whether a person made it executable', async () => {
    const stage = await changed();
    chmodSync(join(stage.root, 'a.txt'), 0o755);
    await stage.publish();
    expect(stage.git('ls-tree', 'HEAD', 'a.txt')).toMatch(/^100644/);
  });
});

describe('what is not on the disk any more is not published', () => {
  test('stashed: until it is back', async () => {
    const stage = await changed();
    stage.git('stash');
    expect(await stage.refused()).toContain('a.txt does not have any more what S001 changed in it');
    stage.git('stash', 'pop');
    await stage.publish();
    expect(stage.committed()).toBe(OWN);
  });

  test('rewritten in one place: until it is patched again', async () => {
    const stage = await changed();
    stage.edit('five\n', 'by hand\n');
    await stage.refused();
    expect((await stage.ada.ok('list_scopes', { phase: 'iterate' })).scopes).toHaveLength(1);
    await replace(stage.ada, stage.scope, 'by hand\n', 'five\n');
    await stage.publish();
    expect(stage.committed()).toBe(OWN);
  });

  test('rewritten in one place: or until the scope says that it is right so', async () => {
    const stage = await changed();
    const { ada, scope } = stage;
    stage.edit('five\n', 'by hand\n');
    expect(await stage.refused()).toContain('call patch with its whole text as content and its version as base');
    const { files } = await ada.ok('read', { paths: ['a.txt'] });
    const edits = [{ path: 'a.txt', content: files[0].text, base: files[0].version }];
    const approved = await ada.ok('patch', { scope, edits });
    expect(approved).toMatchObject({ files: [{ path: 'a.txt', added: 0, removed: 0 }] });
    expect(approved.already).toBeUndefined();
    expect(await ada.ok('patch', { scope, edits })).toMatchObject({ already: true });
    await stage.publish();
    expect(stage.committed()).toBe(OWN.replace('five\n', 'by hand\n'));
  });

  test('rewritten before a further patch: the lines that were lost do not come back', async () => {
    const stage = await changed();
    stage.edit('five\n', 'by hand\n');
    await replace(stage.ada, stage.scope, line(10), 'ten\n');
    await stage.publish();
    expect(stage.committed()).toBe(stage.text('a.txt'));
  });

  test('deleted: until it is made again', async () => {
    const stage = await changed();
    rmSync(join(stage.root, 'a.txt'));
    expect(await stage.refused()).toContain('a.txt is gone');
    expect(await outside(stage)).toMatchObject([{ path: 'a.txt', after: null }]);
    const { ada, scope } = stage;
    await ada.ok('patch', { scope, edits: [{ path: 'a.txt', content: OWN }] });
    await stage.publish();
    expect(stage.committed()).toBe(OWN);
  });

  test('deleted: or until the scope deletes it too', async () => {
    const stage = await changed();
    rmSync(join(stage.root, 'a.txt'));
    await stage.refused();
    const { ada, scope } = stage;
    const made = await ada.ok('patch', { scope, edits: [{ path: 'a.txt', content: 'x' }] });
    await ada.ok('patch', { scope, edits: [{ path: 'a.txt', delete: true, base: made.files[0].version }] });
    await stage.publish();
    expect(stage.git('ls-files').trim()).toBe('');
  });

  test('deleted by the scope: where a person made it again', async () => {
    const stage = await changed();
    const { ada, scope, write } = stage;
    const { files } = await ada.ok('read', { paths: ['a.txt'] });
    await ada.ok('patch', { scope, edits: [{ path: 'a.txt', delete: true, base: files[0].version }] });
    write('a.txt', LINES);
    await stage.refused();
  });

  test('made executable by the scope alone: where a person took that back', async () => {
    const stage = newWorkspace({ 'a.sh': 'true\n' });
    const ada = await stdioAgent(stage.root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Run it', units: ['a.sh'] });
    await ada.ok('run', { scope, command: 'chmod +x a.sh' });
    chmodSync(join(stage.root, 'a.sh'), 0o644);
    await ada.refused('STALE_BASE', 'publish_output', { scope, summary: 's' });
    chmodSync(join(stage.root, 'a.sh'), 0o755);
    await ada.ok('publish_output', { scope, summary: 's' });
    expect(stage.git('ls-tree', 'HEAD', 'a.sh')).toMatch(/^100755/);
  });
});
