import { describe, expect, test } from 'vitest';
import { type Agent, serve, stdioAgent } from '../support/agents.js';
import { GATES_IGNORED, gate } from '../support/gates.js';
import { program } from '../support/rest.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const FILES = { 'a.txt': 'one\n', 'b.txt': 'one\n', '.gitignore': GATES_IGNORED };

/** The contracts of conflict scopes, in the order in which they were raised. */
async function conflicts(workspace: TestWorkspace) {
  const opened = (await workspace.events()).flatMap(({ body }) =>
    body.type === 'scope.opened' ? [body.contract] : [],
  );
  return opened.flatMap(({ conflict, ...contract }) => (conflict === undefined ? [] : [{ ...contract, conflict }]));
}

async function texts(agent: Agent, hashes: readonly string[]): Promise<string[]> {
  const { files } = await agent.ok('read', { paths: hashes.map((hash) => `artifact:${hash}`) });
  return files.map(({ text }: { text: string }) => text);
}

let gates = 0;

/** Runs a command that writes the file, and does something about the file before it may end. */
async function meanwhile(workspace: TestWorkspace, agent: Agent, write: string, then: () => unknown) {
  const { wait, open } = gate(workspace.root, `gate-${++gates}`);
  const { run } = await agent.ok('run', { command: `${wait}; ${write}`, background: true });
  await then();
  open();
  return agent.ok('run', { run });
}

describe('what a command wrote and what became of the file meanwhile do not fit', () => {
  test('a conflict scope has both texts, once for all retries, and both hear how it ended', async () => {
    const workspace = newWorkspace(FILES);
    const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
    const { scope } = await ada.ok('claim_scope', { title: 'Format', units: ['a.txt'] });
    const change = (text: string) => async () => {
      const { version } = (await ben.ok('read', { paths: ['b.txt'] })).files[0];
      await ben.ok('patch', { edits: [{ path: 'b.txt', content: text, base: version }] });
      await ben.ok('release_scope', {});
    };
    const ended = await meanwhile(workspace, ada, 'echo A > a.txt; echo ada > b.txt', change('ben\n'));
    expect(ended.changed).toMatchObject([{ path: 'a.txt' }]);
    expect(ended.rejected).toEqual([{ path: 'b.txt', reason: expect.stringMatching(/^STALE_BASE: S002 .* S003$/) }]);
    await ben.ok('claim_scope', { scope: 'S002' });
    const again = await meanwhile(workspace, ada, 'echo Ada > b.txt', change('Ben\n'));
    expect(again.rejected).toEqual([{ path: 'b.txt', reason: expect.stringMatching(/S003$/) }]);
    expect(workspace.text('b.txt')).toBe('Ben\n');

    const [raised, ...others] = await conflicts(workspace);
    expect(others).toEqual([]);
    expect(raised).toMatchObject({ phase: 'iterate', units: ['b.txt'], conflict: { between: ['S001', 'S002'] } });
    expect(await texts(ada, raised?.conflict.sides ?? [])).toEqual(['ada\n', 'ben\n']);
    const cleo = await stdioAgent(workspace.root, 'cleo');
    expect(await cleo.ok('claim_scope', { phase: 'iterate' })).toMatchObject({ id: 'S003', units: ['b.txt'] });
    await ben.ok('claim_scope', { scope: 'S002', wait_s: 0 });
    await cleo.ok('publish_output', { summary: 'Both names' });
    const told = await ada.call('patch', { scope, edits: [{ path: 'c.txt', content: '' }] });
    const text = 'the conflict in b.txt is resolved: Both names';
    expect(told.data.notes).toEqual([{ scope: 'S001', from: 'S003', text }]);
    expect((await ben.call('claim_scope', { scope: 'S002' })).data.notes).toEqual([
      { scope: 'S002', from: 'S003', text },
    ]);
  });

  test('so has one for an edit by hand', async () => {
    const workspace = newWorkspace(FILES);
    const ada = await stdioAgent(workspace.root, 'ada');
    await ada.ok('claim_scope', { title: 'Format', units: ['a.txt'] });
    const { rejected } = await meanwhile(workspace, ada, 'echo ada > a.txt', () => workspace.write('a.txt', 'hand\n'));
    expect(rejected).toEqual([
      { path: 'a.txt', reason: expect.stringMatching(/^STALE_BASE: somebody outside.* S002$/) },
    ]);
    const [raised] = await conflicts(workspace);
    expect(raised?.conflict.between).toEqual(['S001']);
    expect(await texts(ada, raised?.conflict.sides ?? [])).toEqual(['ada\n', 'hand\n']);
  });

  test('but where the scope itself has changed it, the agent knows both', async () => {
    const workspace = newWorkspace(FILES);
    const ada = await stdioAgent(workspace.root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Format', units: ['a.txt'] });
    const edits = [{ path: 'a.txt', old_string: 'one', new_string: 'two' }];
    const ended = await meanwhile(workspace, ada, 'echo ada > a.txt', () => ada.ok('patch', { scope, edits }));
    expect(ended.rejected).toEqual([
      { path: 'a.txt', reason: expect.stringMatching(/^STALE_BASE: S001 .* run again$/) },
    ]);
    expect(await conflicts(workspace)).toEqual([]);
  });
});

describe('the same output of two scopes', () => {
  const report = (content: string) => ({ artifacts: [{ type: 'report', path: 'report.md', content }] });

  test('that both are to give is a conflict with the first publication, and has both sides with the second', async () => {
    const workspace = newWorkspace(FILES);
    const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
    await ada.ok('claim_scope', { title: 'API', units: ['a.txt'], produces: ['docs/api.md'] });
    const { scope } = await ben.ok('claim_scope', { title: 'Guide', units: ['b.txt'], produces: ['docs/api.md'] });
    await ada.ok('patch', { edits: [{ path: 'docs/api.md', content: 'ada\n' }] });
    await ada.ok('publish_output', { summary: 'API' });
    expect((await ben.ok('list_scopes', { phase: 'iterate' })).scopes).toMatchObject([{ id: 'S003', status: 'open' }]);
    const edits = [{ path: 'docs/api.md', old_string: 'ada', new_string: 'ada and ben' }];
    const patched = await ben.ok('patch', { scope, edits });
    expect(patched.notes).toMatchObject([{ scope: 'S002', from: 'signalbox', text: expect.stringContaining('S003') }]);
    await ben.ok('publish_output', { scope, summary: 'Guide' });
    expect(await conflicts(workspace)).toHaveLength(1);
    const { body } = await program(await serve(workspace.root)).ok('getScope', { params: { id: 'S003' } });
    expect(body.conflict).toMatchObject({ between: ['S001', 'S002'], paths: ['docs/api.md'] });
    expect(await texts(ada, body.conflict.sides)).toEqual(['ada\n', 'ada and ben\n']);
  });

  test('that nobody agreed on is a conflict with the second publication', async () => {
    const workspace = newWorkspace(FILES);
    const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
    await ada.ok('claim_scope', { title: 'One', units: ['a.txt'] });
    await ben.ok('claim_scope', { title: 'Two', units: ['b.txt'] });
    await ada.ok('publish_output', { summary: 'One', ...report('one') });
    expect(await conflicts(workspace)).toEqual([]);
    await ben.ok('publish_output', { summary: 'Two', ...report('two') });
    const [raised] = await conflicts(workspace);
    expect(raised).toMatchObject({ units: ['report.md'], conflict: { between: ['S002', 'S001'] } });
    expect(await texts(ada, raised?.conflict.sides ?? [])).toEqual(['two', 'one']);
  });

  test('that they give one after the other is none, nor is a newer version of the own one', async () => {
    const workspace = newWorkspace(FILES);
    const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
    await ada.ok('claim_scope', { title: 'One', units: ['a.txt'] });
    await ada.ok('publish_output', { summary: 'Draft', status: 'progress', ...report('draft') });
    await ada.ok('publish_output', { summary: 'One', ...report('one') });
    await ben.ok('claim_scope', { title: 'Two', units: ['b.txt'] });
    await ben.ok('publish_output', { summary: 'Two', ...report('two') });
    expect(await conflicts(workspace)).toEqual([]);
  });
});
