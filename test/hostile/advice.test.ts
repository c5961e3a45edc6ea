import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Proposed, proposals } from '../support/advice.js';
import { type Agent, type Answer, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n', 'src/c.txt': 'c\n' };
const EDIT = { path: 'src/a.txt', old_string: 'one', new_string: 'eins' };

/** The only call that an answer proposes, of this tool. */
function proposed(answer: Answer, tool: string): Proposed {
  const found = proposals(answer);
  if (found.length !== 1 || found[0]?.tool !== tool) throw new Error(`proposes no single ${tool}: ${answer.text}`);
  return found[0];
}

/** Does what an answer says, word for word. */
function follow(agent: Agent, answer: Answer, tool: string) {
  const { args } = proposed(answer, tool);
  return agent.ok(tool, args);
}

test('HELD: the proposed claim waits for the holder, and then the patch goes through', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/'] });
  const held = await ben.refused('HELD', 'patch', { edits: [EDIT, { path: 'src/new.txt', content: 'x' }] });
  const claim = follow(ben, held, 'claim_scope');
  await waiting(ada, 'S002');
  await ada.ok('release_scope', { scope });
  expect(await claim).toMatchObject({ status: 'active', units: ['src/a.txt', 'src/new.txt'] });
  await ben.ok('patch', { edits: [EDIT] });
  expect(text('src/a.txt')).toBe('eins\ntwo\n');
});

/** Resolves when a scope is in the queue. */
async function waiting(agent: Agent, id: string): Promise<void> {
  for (;;) {
    const { scopes } = await agent.ok('list_scopes', { status: 'waiting' });
    if (scopes.some((scope: { id: string }) => scope.id === id)) return;
  }
}

const DOORS: readonly (readonly [door: string, open: (root: string, name: string) => Promise<Agent>])[] = [
  ['with a connection', (root, name) => stdioAgent(root, name)],
  ['without a connection', async (root, name) => httpAgent(await serve(root), name, 'modern')],
];

test.each(DOORS)('HELD for a scope with a handle: the claim adds to that scope, %s', async (_, open) => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await open(root, 'ben');
  const { scope: holder } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const { scope, id } = await ben.ok('claim_scope', { title: 'Other', units: ['src/b.txt'] });
  const held = await ben.refused('HELD', 'patch', { scope, edits: [EDIT] });
  await ada.ok('release_scope', { scope: holder });
  expect(await follow(ben, held, 'claim_scope')).toMatchObject({ id, scope, units: ['src/b.txt', 'src/a.txt'] });
  await ben.ok('patch', { scope, edits: [EDIT] });
});

test.each(DOORS)('WAITING: the proposed claim goes on waiting, %s', async (_, open) => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await open(root, 'ben');
  const { scope: holder } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const queued = await ben.call('claim_scope', { title: 'Next', units: ['src/a.txt'], wait_s: 0 });
  const { scope } = queued.data;
  const refusals = [
    await ben.refused('WAITING', 'patch', { scope, edits: [EDIT] }),
    await ben.refused('WAITING', 'run', { scope, command: 'true' }),
    await ben.refused('WAITING', 'publish_output', { scope, summary: 's' }),
  ];
  await ada.ok('release_scope', { scope: holder });
  for (const answer of [queued, ...refusals]) {
    expect(await follow(ben, answer, 'claim_scope')).toMatchObject({ scope, status: 'active' });
  }
});

test('NOT_CLAIMED: the proposed claim gives what the patch needs, where claims are explicit', async () => {
  const { root } = newWorkspace({ ...FILES, 'signalbox.yaml': 'claims: explicit\n' });
  const ada = await stdioAgent(root, 'ada');
  const first = await ada.refused('NOT_CLAIMED', 'patch', { edits: [EDIT] });
  const { scope } = await follow(ada, first, 'claim_scope');
  await ada.ok('patch', { edits: [EDIT] });
  const edits = [{ path: 'src/b.txt', content: 'x', base: '0'.repeat(10) }];
  await ada.refused('STALE_BASE', 'patch', { scope, edits });
  const further = { scope, edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] };
  const second = await ada.refused('NOT_CLAIMED', 'patch', further);
  expect(await follow(ada, second, 'claim_scope')).toMatchObject({ scope, units: ['src/a.txt', 'src/b.txt'] });
  await ada.ok('patch', further);
});

test('NOT_CLAIMED: an open scope is claimed by its id', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const opened = await ada.call('open_scope', { title: 'Later', units: ['src/a.txt'] });
  const refusal = await ada.refused('NOT_CLAIMED', 'patch', { scope: opened.data.id, edits: [EDIT] });
  expect(proposals(refusal)).toEqual(proposals(opened));
  const { scope } = await follow(ada, refusal, 'claim_scope');
  await ada.ok('patch', { scope, edits: [EDIT] });
});

test('STALE_BASE, NO_MATCH and a missing base: the proposed read gives what the patch needs', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { files } = await ada.ok('read', { paths: ['src/a.txt'] });
  const base = files[0].version;
  await ada.ok('patch', { edits: [EDIT] });
  const stale = [
    await ada.refused('STALE_BASE', 'patch', { edits: [{ path: 'src/a.txt', content: 'mine\n', base }] }),
    await ada.refused('STALE_BASE', 'patch', { edits: [{ ...EDIT, new_string: 'uno', base }] }),
    await ada.refused('INVALID', 'patch', { edits: [{ path: 'src/a.txt', content: 'mine\n' }] }),
    await ada.refused('NO_MATCH', 'patch', { edits: [EDIT] }),
  ];
  for (const answer of stale) {
    const read = await follow(ada, answer, 'read');
    expect(read.files[0].text).toBe('eins\ntwo\n');
    await ada.ok('patch', {
      edits: [{ path: 'src/a.txt', old_string: 'eins', new_string: 'one', base: read.files[0].version }],
    });
    await ada.ok('patch', { edits: [EDIT] });
  }
  const { version } = (await ada.ok('read', { paths: ['src/a.txt'] })).files[0];
  await ada.ok('patch', { edits: [{ path: 'src/a.txt', content: 'mine\n', base: version.slice(0, 10) }] });
  expect(text('src/a.txt')).toBe('mine\n');
});

test('a binary can be replaced as its refusals say', async () => {
  const { root, text } = newWorkspace(FILES);
  writeFileSync(join(root, 'logo.dat'), Buffer.from([0, 1, 2]));
  const ada = await stdioAgent(root, 'ada');
  const refusal = await ada.refused('INVALID', 'patch', { edits: [{ path: 'logo.dat', content: 'text\n' }] });
  const { files } = await follow(ada, refusal, 'read');
  const base = /version ([0-9a-f]{10})/.exec(files[0].error)?.[1];
  await ada.ok('patch', { edits: [{ path: 'logo.dat', content: 'text\n', base }] });
  expect(text('logo.dat')).toBe('text\n');
});

test('NOT_FOUND: the proposed read shows what is there', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const refusal = await ada.refused('NOT_FOUND', 'patch', { edits: [{ ...EDIT, path: 'src/none.txt' }] });
  const { files } = await follow(ada, refusal, 'read');
  expect(files[0].entries).toMatchObject([{ name: 'src' }]);
});

test('LEASE_LOST: an open scope is taken up again, and one that another has is left to it', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope, id } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: [EDIT] });
  await runCli(['release', id, '--root', root, '--reason', 'needed elsewhere']);
  const lost = await ada.refused('LEASE_LOST', 'patch', {
    scope,
    edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }],
  });
  expect(lost.text).toContain('reason: needed elsewhere');
  const again = await follow(ada, lost, 'claim_scope');
  expect(again).toMatchObject({ id, status: 'active', handover: { from: 'ada' } });
  const former = await ada.refused('LEASE_LOST', 'publish_output', { scope, summary: 's' });
  expect((await follow(ada, former, 'list_scopes')).scopes).toMatchObject([{ id, scope: again.scope }]);
});

test('UNKNOWN_SCOPE: an ended scope is claimed anew, an unknown one is looked up', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Say "hi" {now}', units: ['src/a.txt', 'src/b.txt'] });
  await ada.ok('publish_output', { scope, summary: 's' });
  const ended = await ada.refused('UNKNOWN_SCOPE', 'patch', { scope, edits: [EDIT] });
  expect(await follow(ada, ended, 'claim_scope')).toMatchObject({
    status: 'active',
    units: ['src/a.txt', 'src/b.txt'],
  });
  const unknown = await ada.refused('UNKNOWN_SCOPE', 'patch', { scope: 'S999', edits: [EDIT] });
  for (const { tool, args } of proposals(unknown)) await ada.ok(tool, args);
  expect(proposals(unknown)).toHaveLength(2);
});

test('NOT_YOURS and two active scopes: the proposed lists show what the caller may use', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { id } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  await follow(ben, await ben.refused('NOT_YOURS', 'patch', { scope: id, edits: [EDIT] }), 'list_scopes');
  const open = await follow(ben, await ben.refused('NOT_YOURS', 'claim_scope', { scope: id }), 'list_scopes');
  expect(open.scopes).toEqual([]);
  const second = await ada.ok('claim_scope', { title: 'Second', units: ['src/b.txt'] });
  const mine = await follow(ada, await ada.refused('INVALID', 'patch', { edits: [EDIT] }), 'list_scopes');
  expect(mine.scopes[0].scope).toBe(second.scope);
  const none = await follow(ben, await ben.refused('NOT_CLAIMED', 'release_scope', {}), 'list_scopes');
  expect(none.scopes).toEqual([]);
});

test('HELD by a second scope of the same agent: both ways out are open', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  await ada.ok('claim_scope', { title: 'First', units: ['src/a.txt'] });
  const held = await ada.refused('HELD', 'claim_scope', { title: 'Second', units: ['src/'] });
  const [add, release] = proposals(held);
  expect([add?.tool, release?.tool]).toEqual(['claim_scope', 'release_scope']);
  expect(await ada.ok('claim_scope', add?.args)).toMatchObject({ id: 'S001', units: ['src/a.txt', 'src/'] });
  await ada.ok('release_scope', release?.args);
  await ada.ok('claim_scope', { title: 'Second', units: ['src/'] });
});

test('INCOMPLETE: what is there can be committed meanwhile, and the scope goes on', async () => {
  const { root, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const produces = ['docs/b.md', 'docs/a.md'];
  const { scope, id } = await ada.ok('claim_scope', { title: 'Docs', units: ['docs/'], produces });
  await ada.ok('patch', { scope, edits: [{ path: 'docs/a.md', content: '# a\n' }] });
  const incomplete = await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Wrote the docs' });
  expect(incomplete.data.facts).toEqual({ scope: id, missing: ['docs/b.md'] });
  expect(await follow(ada, incomplete, 'publish_output')).toMatchObject({ id, status: 'active' });
  expect(git('show', 'HEAD:docs/a.md')).toBe('# a\n');
  await ada.ok('patch', { scope, edits: [{ path: 'docs/b.md', content: '# b\n' }] });
  expect(await ada.ok('publish_output', { scope, summary: 'All' })).toMatchObject({ status: 'done' });
});

test('answers that are no refusals propose calls that go on as well', async () => {
  const { root } = newWorkspace({ 'long.txt': 'a line of some length\n'.repeat(2_000) });
  const ada = await stdioAgent(root, 'ada');
  const cut = await ada.call('read', { paths: ['long.txt'] });
  const rest = /cut: go on with (\S+)\)/.exec(cut.text)?.[1];
  expect((await ada.ok('read', { paths: [rest] })).files[0].from).toBe(cut.data.files[0].to + 1);
  const begun = await ada.call('run', { command: 'echo begun; sleep 60', background: true });
  const followed = await ada.ok('run', { ...proposed(begun, 'run').args, wait_s: 0 });
  expect(followed).toMatchObject({ run: begun.data.run, state: 'running' });
  await ada.ok('run', { run: begun.data.run, stop: true });
  const much = await ada.call('run', { command: 'seq 1 20000' });
  const from = Number(/read on with from: (\d+)/.exec(much.text)?.[1]);
  const page = await ada.ok('run', { run: much.data.run, from });
  expect(page.output).toMatch(/^\n?\d+\n/);
});
