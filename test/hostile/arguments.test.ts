import { expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\nthree\n', 'src/b.txt': 'b\n' };
const EDIT = { path: 'src/a.txt', old_string: 'one', new_string: 'eins' };

interface Wrong {
  readonly tool: string;
  readonly args: object;
  readonly argument: string;
  readonly expected: RegExp;
  readonly got: RegExp;
}

function wrong(tool: string, args: object, argument: string, expected: RegExp, got: RegExp): Wrong {
  return { tool, args, argument, expected, got };
}

const WRONG: readonly Wrong[] = [
  wrong('read', {}, 'paths', /a list/, /nothing/),
  wrong('read', { paths: [] }, 'paths', /not empty/, /a list of 0/),
  wrong('read', { paths: [7] }, 'paths[0]', /text/, /7/),
  wrong('read', { paths: [['src/a.txt']] }, 'paths[0]', /text/, /a list of 1/),
  wrong('read', { paths: Array(101).fill('a') }, 'paths', /at most 100/, /101/),
  wrong('patch', {}, 'edits', /either edits or diff/, /neither/),
  wrong('patch', { edits: [EDIT], diff: 'x' }, 'edits', /either edits or diff/, /both/),
  wrong('patch', { edits: 'no JSON' }, 'edits', /a list/, /no JSON/),
  wrong('patch', { edits: [{ content: 'x' }] }, 'edits[0].path', /text/, /nothing/),
  wrong('patch', { edits: [{ path: 'src/a.txt' }] }, 'edit', /a change/, /a path alone/),
  wrong('patch', { edits: [{ ...EDIT, content: 'x' }] }, 'old_string', /nothing beside content/, /content and old/),
  wrong('patch', { edits: [{ ...EDIT, delete: true }] }, 'delete', /nothing beside it/, /old_string, new_string/),
  wrong('patch', { edits: [{ ...EDIT, delete: 'perhaps' }] }, 'edits[0].delete', /true or false/, /perhaps/),
  wrong('patch', { edits: [{ ...EDIT, base: 'short' }] }, 'base', /10 or more/, /5/),
  wrong('patch', { edits: [{ ...EDIT, old_string: '' }] }, 'old_string', /not empty/, /an empty one/),
  wrong('patch', { edits: [{ ...EDIT, new_string: 'one' }] }, 'new_string', /another text/, /the same/),
  wrong('patch', { edits: [{ path: 'src/a.txt', new_string: 'x' }] }, 'old_string', /to replace/, /alone/),
  wrong('patch', { edits: [{ path: 'src/a.txt', old_string: 'one' }] }, 'new_string', /in its place/, /nothing/),
  wrong('patch', { edits: [{ ...EDIT, new_string: '\ud800' }] }, 'new_string', /UTF-8/, /half a surrogate/),
  wrong('patch', { edits: [{ path: 'src/a.txt', move_to: 'src/a.txt' }] }, 'move_to', /another path/, /the same/),
  wrong('patch', { edits: [{ path: 'src/a.txt', content: 'x' }] }, 'base', /version of src\/a.txt/, /nothing/),
  wrong('patch', { edits: [{ path: 'src/a.txt', delete: true }] }, 'base', /version of src\/a.txt/, /nothing/),
  wrong('patch', { edits: [{ path: 'src/a.txt', move_to: 'src/b.txt' }] }, 'base', /version of src\/b/, /nothing/),
  wrong('patch', { diff: '' }, 'diff', /not empty/, /the text ""/),
  wrong('patch', { diff: 'hello' }, 'diff', /unified diff/, /neither/),
  wrong('patch', { diff: '--- a/src/a.txt\n+++ b/src/a.txt\n' }, 'diff', /at least one hunk/, /none/),
  wrong('run', {}, 'command', /a command, or run/, /neither command nor run/),
  wrong('run', { command: '  ' }, 'command', /a command/, /" {2}"/),
  wrong('run', { command: 'a\0b' }, 'command', /without NUL/, /u0000/),
  wrong('run', { command: 'true', run: 'R001' }, 'run', /either command or run/, /both/),
  wrong('run', { command: 'true', env: ['A=1', 'B'] }, 'env[1]', /NAME=value/, /"B"/),
  wrong('run', { command: 'true', env: ['1=1'] }, 'env[0]', /NAME=value/, /"1=1"/),
  wrong('run', { command: 'true', env: { A: '1' } }, 'env', /a list/, /an object/),
  wrong('run', { command: 'true', cwd: 'src/a.txt' }, 'cwd', /a folder/, /the file "src\/a.txt"/),
  wrong('run', { command: 'true', cwd: 'nowhere' }, 'cwd', /a folder/, /does not exist/),
  wrong('run', { command: 'true', timeout_s: 0 }, 'timeout_s', /above 0/, /0/),
  wrong('run', { command: 'true', timeout_s: -1 }, 'timeout_s', /at least 0/, /-1/),
  wrong('run', { command: 'true', wait_s: '1e308' }, 'wait_s', /a number/, /1e308/),
  wrong('run', { command: 'true', wait_s: 1e308 }, 'wait_s', /at most 86400/, /1e\+308/),
  wrong('run', { run: 'R001', from: 1.5 }, 'from', /a whole number/, /1.5/),
  wrong('run', { run: 'R001', from: -1 }, 'from', /at least 0/, /-1/),
  wrong('claim_scope', { mode: 'exclusive' }, 'mode', /write, read/, /exclusive/),
  wrong('claim_scope', { phase: 'coding' }, 'phase', /build/, /coding/),
  wrong('claim_scope', { title: '' }, 'title', /not empty/, /""/),
  wrong('claim_scope', { title: 'two\nlines' }, 'title', /one line/, /two\\nlines/),
  wrong('claim_scope', { title: 'x'.repeat(201) }, 'title', /at most 200/, /201/),
  wrong('claim_scope', { units: ['process:'] }, 'units[0]', /process/, /process:/),
  wrong('claim_scope', { units: ['a', 'process:a b'] }, 'units[1]', /process/, /process:a b/),
  wrong('claim_scope', { units: Array(1001).fill('a') }, 'units', /at most 1000/, /1001/),
  wrong('claim_scope', { units: [`{${'a,'.repeat(40)}}`] }, 'units[0]', /alternatives/, /\{a,a/),
  wrong('claim_scope', { wait_s: -1 }, 'wait_s', /at least 0/, /-1/),
  wrong('claim_scope', { agent: 'a\u202eb' }, 'agent', /one line/, /a/),
  wrong('claim_scope', { title: 't', produces: ['src'] }, 'produces[0]', /a file/, /"src"/),
  wrong('claim_scope', { scope: 'S001', produces: ['a.txt'] }, 'produces', /none for a scope that exists/, /S001/),
  wrong('publish_output', {}, 'summary', /text/, /nothing/),
  wrong('publish_output', { summary: ' ' }, 'summary', /not empty/, /" "/),
  wrong('publish_output', { summary: 's', status: 'finished' }, 'status', /done, progress, failed/, /finished/),
  wrong('publish_output', { summary: 's', artifacts: [{ path: 'a' }] }, 'artifacts[0].type', /text/, /nothing/),
  wrong('claim_scope', { agent: 'ada (run)' }, 'agent', /not one of Signalbox/, /ada \(run\)/),
  wrong('claim_scope', { agent: 'Signalbox' }, 'agent', /not one of Signalbox/, /Signalbox/),
  wrong('open_scope', {}, 'title', /text/, /nothing/),
  wrong('open_scope', { title: 't', note: 'a\u001b[2Jb' }, 'note', /without control/, /u001b/),
  wrong('release_scope', { changes: 'drop' }, 'changes', /keep, revert/, /drop/),
  wrong('list_scopes', { status: 'finished' }, 'status', /open, waiting/, /finished/),
  wrong('list_scopes', { mine: 'perhaps' }, 'mine', /true or false/, /perhaps/),
  wrong('list_scopes', { id: 7 }, 'id', /text/, /7/),
];

test('every argument error names the argument, what was expected and what came', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  for (const { tool, args, argument, expected, got } of WRONG) {
    const { data, text } = await refused(ada, 'INVALID', tool, args);
    expect.soft(data.facts, text).toMatchObject({ argument });
    expect.soft(`${data.facts.expected ?? data.sentence}`, text).toMatch(expected);
    expect.soft(`${data.facts.got ?? data.sentence}`, text).toMatch(got);
  }
});

test('an unknown argument that looks like a real one is refused, naming both', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const near: readonly (readonly [tool: string, args: object, given: string, meant: string])[] = [
    ['read', { path: 'src/a.txt' }, 'path', 'paths'],
    ['read', { file_paths: ['src/a.txt'] }, 'file_paths', 'paths'],
    ['patch', { edits: [{ ...EDIT, oldString: 'x' }] }, 'edits[0].oldString', 'edits[0].old_string'],
    ['patch', { edits: [{ file_path: 'src/a.txt' }] }, 'edits[0].file_path', 'edits[0].path'],
    ['run', { cmd: 'true', command: 'true', timeout: 5 }, 'timeout', 'timeout_s'],
    ['claim_scope', { titel: 't' }, 'titel', 'title'],
    ['publish_output', { summary: 's', artefacts: [] }, 'artefacts', 'artifacts'],
    ['list_scopes', { mien: true }, 'mien', 'mine'],
  ];
  for (const [tool, args, given, meant] of near) {
    const { data } = await refused(ada, 'INVALID', tool, args);
    expect.soft(data.facts).toMatchObject({ argument: given, expected: meant });
    expect.soft(data.next).toContain(meant);
  }
});

test('what there can be no doubt about is forgiven', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const forgiven: readonly (readonly [tool: string, args: object])[] = [
    ['read', { paths: 'src/a.txt' }],
    ['read', { paths: '["src/a.txt", "src/b.txt"]' }],
    ['patch', { edits: { ...EDIT } }],
    ['patch', { edits: JSON.stringify([{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }]), diff: null }],
    ['patch', { edits: [JSON.stringify({ path: 'src/a.txt', old_string: 'three', new_string: 'drei' })] }],
    ['run', { command: 'true', env: 'A=1', wait_s: '30', background: 'false', scope: null }],
    ['list_scopes', { mine: 'true', status: null }],
  ];
  for (const [tool, args] of forgiven) await ada.ok(tool, args);
  expect(text('src/a.txt')).toBe('eins\nzwei\ndrei\n');
});

test('an unknown argument that is near to nothing is left aside, and named in one line', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const args = { paths: ['src/a.txt'], wait_for_previous: true, __proto__x: 1 };
  const answer = await ada.call('read', args);
  expect(answer.isError).toBe(false);
  expect(answer.text.split('\n').at(-1)).toBe('Ignored, no such argument: wait_for_previous, __proto__x');
  expect(answer.data.ignored_arguments).toEqual(['wait_for_previous', '__proto__x']);
});

test('the names of the language itself are unknown arguments like others', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const edits = '[{"path":"src/a.txt","old_string":"one","new_string":"eins","__proto__":{"delete":true}}]';
  const { ignored_arguments: ignored } = await ada.ok('patch', { edits, ...JSON.parse('{"constructor":{}}') });
  expect(ignored).toEqual(['edits[0].__proto__', 'constructor']);
  expect(text('src/a.txt')).toBe('eins\ntwo\nthree\n');
});

test('a tool that there is not is an error of the protocol', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  await expect(ada.call('write_file', {})).rejects.toThrow(/There is no tool "write_file"; the tools are read, patch/);
});

test.each(['claude-code', 'codex-mcp-client'])('%s, which shows only text, gets it whole and alone', async (name) => {
  const workspace = newWorkspace(FILES);
  const agent: Agent = await stdioAgent(workspace.root, name);
  const answer = await agent.call('read', {});
  expect(answer.data).toBeUndefined();
  expect(answer.text).toMatch(/^INVALID: .*\nargument: paths\nexpected: a list\ngot: nothing\nNext: Call read again/);
});
