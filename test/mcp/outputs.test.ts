import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' };
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('an artifact', () => {
  test('is the content of a path at the moment of its publication, whatever becomes of the file', async () => {
    const { root } = newWorkspace(FILES);
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'], produces: ['src/a.txt'] });
    const { artifacts } = await ada.ok('publish_output', { scope, summary: 's' });
    expect(artifacts).toEqual([{ id: 'A001', type: 'file', path: 'src/a.txt', hash: sha(FILES['src/a.txt']) }]);
    await ada.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    for (const hash of [artifacts[0].hash, artifacts[0].hash.slice(0, 10)]) {
      const { files } = await ada.ok('read', { paths: [`artifact:${hash}`] });
      expect(files).toMatchObject([{ text: FILES['src/a.txt'], version: artifacts[0].hash }]);
    }
  });

  test('of type json is text that parses; a JSON value is stored as such', async () => {
    const workspace = newWorkspace({ ...FILES, 'bad.json': '{"a":' });
    const { refused } = await watch(workspace);
    const ada = await stdioAgent(workspace.root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const publish = (artifact: object) => ({ scope, summary: 's', artifacts: [{ type: 'json', ...artifact }] });
    const no = await refused(ada, 'INVALID', 'publish_output', publish({ content: '{"a": 1' }));
    expect(no.data.facts.argument).toBe('artifacts[0].content');
    await refused(ada, 'INVALID', 'publish_output', publish({ path: 'bad.json' }));
    await refused(ada, 'INVALID', 'publish_output', publish({ content: 5 }));
    const { artifacts } = await ada.ok('publish_output', publish({ content: { endpoints: ['/a', '/b'] } }));
    const { files } = await ada.ok('read', { paths: [`artifact:${artifacts[0].hash}`] });
    expect(JSON.parse(files[0].text)).toEqual({ endpoints: ['/a', '/b'] });
  });

  test('of type diff is what the scope has changed, from its first change on', async () => {
    const { root, git } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
    await ben.ok('publish_output', { summary: 's' });
    const base = git('rev-parse', 'HEAD').trim();
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    await ada.ok('publish_output', { scope, summary: 'half', status: 'progress' });
    await ada.ok('patch', { scope, edits: [{ path: 'src/new.txt', content: 'new' }] });
    const { artifacts } = await ada.ok('publish_output', { scope, summary: 's', artifacts: [{ type: 'diff' }] });
    const { files } = await ada.ok('read', { paths: [`artifact:${artifacts[0].hash}`] });
    git('checkout', '-q', '--detach', base);
    const patch = `${root}/../${base}.patch`;
    writeFileSync(patch, files[0].text);
    try {
      git('apply', '--index', patch);
    } finally {
      rmSync(patch);
    }
    expect(git('write-tree')).toBe(git('rev-parse', 'main^{tree}'));
  });

  test('can be what is stored already; what is not, or nothing at all, is refused', async () => {
    const workspace = newWorkspace(FILES);
    const { refused } = await watch(workspace);
    const ada = await stdioAgent(workspace.root, 'ada');
    const first = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const note = { type: 'log', content: 'it went well\n' };
    const one = await ada.ok('publish_output', { scope: first.scope, summary: 's', artifacts: [note] });
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const publish = (artifact: object) => ({ scope, summary: 's', artifacts: [artifact] });
    const path = `artifact:${one.artifacts[0].hash.slice(0, 12)}`;
    await refused(ada, 'NOT_FOUND', 'publish_output', publish({ type: 'log', path: 'artifact:0123456789' }));
    await refused(ada, 'NOT_FOUND', 'publish_output', publish({ type: 'log', path: path.slice(0, -3) }));
    await refused(ada, 'INVALID', 'publish_output', publish({ type: 'log', path, content: 'x' }));
    await refused(ada, 'INVALID', 'publish_output', publish({ type: 'log' }));
    await refused(ada, 'INVALID', 'publish_output', publish({ type: 'diff' }));
    const two = await ada.ok('publish_output', publish({ type: 'log', path }));
    expect(two.artifacts).toEqual([{ id: 'A002', type: 'log', hash: one.artifacts[0].hash }]);
  });

  test('is superseded by what is published again at its path, and whoever consumes the scope gets the newest', async () => {
    const { root } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const note = (content: string) => ({ type: 'note', content });
    const file = (content: string) => ({ type: 'file', path: 'src/a.txt', content });
    const half = { scope, summary: 'half', status: 'progress', artifacts: [note('one'), file('old\n')] };
    const { artifacts } = await ada.ok('publish_output', half);
    await ada.ok('publish_output', { scope, summary: 'all', artifacts: [note('two'), file('new\n')] });
    const { inputs } = await ben.ok('claim_scope', { title: 'u', units: ['src/b.txt'], consumes: [id] });
    expect(inputs.map((input: { hash: string }) => input.hash)).toEqual(['one', 'two', 'new\n'].map(sha));
    const { files } = await ben.ok('read', { paths: [`artifact:${artifacts[1].hash}`] });
    expect(files[0].text).toBe('old\n');
  });
});

test('promise 12: more artifacts than a publication or a scope may have are refused, and nothing is stored', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const produces = Array.from({ length: 600 }, (_, at) => `out/${at}`);
  workspace.write('big.log', 'x'.repeat(8_000_000));
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'], produces });
  const notes = (count: number, content = 'x') => Array.from({ length: count }, () => ({ type: 'note', content }));
  const publish = (artifacts: object[], status = 'progress') => ({ scope, summary: 's', status, artifacts });
  const many = await refused(ada, 'LIMIT', 'publish_output', publish(notes(600), 'done'));
  expect(many.data.facts).toMatchObject({ limit: 1_000, given: 1_200 });
  const large = await refused(
    ada,
    'LIMIT',
    'publish_output',
    publish([
      ...notes(1, 'x'.repeat(8_000_000)),
      ...[1, 2, 3, 4, 5, 6, 7, 8].map(() => ({ type: 'log', path: 'big.log' })),
    ]),
  );
  expect(large.data.facts.limit).toBe(64_000_000);
  for (const count of [1_000, 1_000]) await ada.ok('publish_output', publish(notes(count)));
  expect((await refused(ada, 'LIMIT', 'publish_output', publish(notes(1)))).data.facts).toMatchObject({ limit: 2_000 });
  expect((await workspace.events()).filter(({ body }) => body.type === 'scope.progressed')).toHaveLength(2);
});
