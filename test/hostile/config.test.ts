import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const BOMB = Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : `*a${n - 1}, *a${n - 1}`}]`).join(
  '\n',
);

const WRONG: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ['an unknown key', 'claimz: auto\n', /"claimz" is no key; "claims" is/],
  ['an unknown key below', 'run:\n  timeout: 5\n', /"run.timeout" is no key; "timeout_minutes" is/],
  ['a wrong value', 'claims: never\n', /claims: expected one of auto, explicit, got the text "never"/],
  ['a wrong type', 'lease_seconds: soon\n', /lease_seconds: expected a number, got the text "soon"/],
  ['a number out of bounds', 'lease_seconds: 0\n', /lease_seconds: expected a number of at least 6, got 0/],
  ['no days', 'keep: {contents_days: 0}\n', /keep\.contents_days: expected a number of .*1/],
  ['days that are none', 'keep: {events_days: soon}\n', /events_days: expected .*or never, got the text "soon"/],
  ['a process without commands', 'processes:\n  build: {}\n', /processes.build.match: expected a list, got nothing/],
  ['a name that is none', 'processes:\n  a b: {match: [x]}\n', /processes.a b: a name has/],
  [
    'an owned path outside',
    'processes:\n  build: {match: [x], owns: [a, ../b]}\n',
    /processes\.build\.owns\[1\]: expected a file, folder\/ or glob inside the workspace, got the text "\.\.\/b"/,
  ],
  [
    'several commands at once in what they own',
    'processes:\n  build: {match: [x], owns: [a], capacity: 2}\n',
    /processes\.build\.capacity: expected 1 for a process that owns something, got 2/,
  ],
  [
    'a variable that is none',
    'processes:\n  build: {match: [x], env: {A-B: x}}\n',
    /env\.A-B: a variable has a name of/,
  ],
  ['a variable without text', 'processes:\n  build: {match: [x], env: {A: 1}}\n', /env\.A: expected text, got 1/],
  [
    'no time',
    'processes:\n  build: {match: [x], timeout_minutes: 0}\n',
    /timeout_minutes: expected a number of at least/,
  ],
  [
    'a socket that is none',
    'processes:\n  build: {match: [x], sockets: [dbus]}\n',
    /sockets\[0\]: expected one of docker, ssh-agent, display, or the absolute path of a socket, got the text "dbus"/,
  ],
  [
    'a socket that climbs',
    'processes:\n  build: {match: [x], sockets: [/run/../x]}\n',
    /sockets\[0\]: expected one of/,
  ],
  ['an unknown key of a process', 'processes:\n  build: {match: [x], own: [a]}\n', /build\.own" is no key/],
  ['scratch that is a comment', 'scratch: ["#x"]\n', /scratch\[0\]: expected a pattern, not a comment/],
  ['scratch with an escape', 'scratch: ["a\\\\b"]\n', /scratch\[0\]: expected a pattern without backslashes/],
  ['a list', '- claims\n', /the file: expected an object, got a list of 1/],
  ['what is no YAML', 'claims: [\n', /at line 2, column 1/],
  ['a key twice', 'claims: auto\nclaims: auto\n', /unique at line 2/],
  ['aliases without end', BOMB, /alias/],
];

test.each(WRONG)('signalbox.yaml with %s stops the command line with path and reason', async (_, text, reason) => {
  const { root } = newWorkspace({ 'signalbox.yaml': text });
  const { code, out, err } = await runCli(['status', '--root', root]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`signalbox: UNAVAILABLE: ${join(root, 'signalbox.yaml')}: `);
  expect(err).toMatch(reason);
  expect(err).not.toMatch(/^ +at /m);
});

const COMMANDS = [
  ['serve', '--port', '0'],
  ['status', '--json'],
  ['status', '--watch'],
  ['scopes'],
  ['events', '--follow'],
  ['diff'],
  ['hold', 'src/a.txt'],
  ['release', 'S001'],
];

test('every command stops at a wrong configuration', async () => {
  const { root } = newWorkspace({ 'signalbox.yaml': 'claims: never\n' });
  const ends = await Promise.all(COMMANDS.map((args) => runCli([...args, '--root', root])));
  for (const [at, { code, out, err }] of ends.entries()) {
    expect.soft([COMMANDS[at], code, out]).toEqual([COMMANDS[at], 1, '']);
    expect.soft(err).toContain('claims: expected one of auto, explicit');
  }
});

const CALLS = [
  ['read', { paths: ['src/a.txt'] }],
  ['patch', { edits: [{ path: 'src/a.txt', old_string: 'a', new_string: 'b' }] }],
  ['run', { command: 'true' }],
  ['claim_scope', { title: 't', units: ['src/'] }],
  ['publish_output', { summary: 's' }],
  ['open_scope', { title: 't' }],
  ['release_scope', {}],
  ['list_scopes', {}],
] as const;

const BROKEN: readonly (readonly [
  what: string,
  wreck: (workspace: TestWorkspace) => void,
  mend: (workspace: TestWorkspace) => void,
  reason: RegExp,
])[] = [
  [
    'a wrong configuration',
    ({ write }) => write('signalbox.yaml', 'claims: never\n'),
    ({ write }) => write('signalbox.yaml', 'claims: explicit\n'),
    /signalbox\.yaml: claims: expected one of auto, explicit, got the text "never"/,
  ],
  [
    'a configuration that is a folder',
    ({ root }) => void mkdirSync(join(root, 'signalbox.yaml')),
    ({ root }) => rmSync(join(root, 'signalbox.yaml'), { recursive: true }),
    /signalbox\.yaml: is no file/,
  ],
  [
    'a second workspace below',
    ({ root }) => void mkdirSync(join(root, 'below/.signalbox'), { recursive: true }),
    ({ root }) => rmSync(join(root, 'below'), { recursive: true }),
    /would guard the same files/,
  ],
];

test.each(BROKEN)('with %s, each tool answers UNAVAILABLE until it is mended', async (_, wreck, mend, reason) => {
  const workspace = newWorkspace({ 'src/a.txt': 'a\n' });
  wreck(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  for (const [tool, args] of CALLS) {
    const { text, data } = await ada.refused('UNAVAILABLE', tool, args);
    expect.soft(text).toMatch(reason);
    expect.soft(data.next).toMatch(/^(Put signalbox\.yaml right|Start in)/);
  }
  expect(workspace.text('src/a.txt')).toBe('a\n');
  mend(workspace);
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'a', new_string: 'b' }] });
});

test('a client of a server that cannot work is still told its tools', async () => {
  const { root, write } = newWorkspace();
  write('signalbox.yaml', '[');
  const ada = await stdioAgent(root, 'ada');
  expect(await ada.tools()).toEqual(CALLS.map(([name]) => name));
  await ada.refused('UNAVAILABLE', 'list_scopes');
  write('signalbox.yaml', '');
  await ada.ok('list_scopes');
});

const PROCESS = (capacity: number) => `processes: {build: {match: [make], capacity: ${capacity}}}\n`;

test('promise 1: servers that were started before an edit of the file decide as those that come after it', async () => {
  const { root, write } = newWorkspace({ 'signalbox.yaml': PROCESS(1) });
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  const claim = (agent: Agent, wait_s = 0) =>
    agent.ok('claim_scope', { title: 'Build', units: ['process:build'], wait_s });
  const first = await claim(ada);
  const second = await claim(ben);
  expect([first.status, second.status]).toEqual(['active', 'waiting']);
  write('signalbox.yaml', PROCESS(2));
  expect((await ben.ok('claim_scope', { scope: second.scope, units: [], wait_s: 0 })).status).toBe('active');
  write('signalbox.yaml', PROCESS(1));
  await ada.ok('release_scope', { scope: first.scope });
  const cleo = await stdioAgent(root, 'cleo');
  expect((await claim(ada)).status).toBe('waiting');
  expect((await claim(cleo)).status).toBe('waiting');
});

test('a server that runs follows the file: what it allows, and that it is wrong', async () => {
  const edits = [{ path: '.vscode/settings.json', content: '{}\n' }];
  const { root, write } = newWorkspace();
  const ada = await stdioAgent(root, 'ada');
  const served = await httpAgent(await serve(root), 'ben');
  await ada.refused('PROTECTED', 'patch', { edits });
  write('signalbox.yaml', 'unprotect: [.vscode/]\nclaims: explicit\n');
  await served.refused('NOT_CLAIMED', 'patch', { edits });
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['.vscode/'] });
  await ada.ok('patch', { scope, edits });
  write('signalbox.yaml', 'claims: never\n');
  for (const [tool, args] of CALLS) {
    for (const agent of [ada, served]) {
      const { text } = await agent.refused('UNAVAILABLE', tool, args);
      expect.soft(text).toContain('signalbox.yaml: claims: expected one of auto, explicit, got the text "never"');
    }
  }
  write('signalbox.yaml', '');
  await ada.refused('PROTECTED', 'patch', { scope, edits: [{ path: '.vscode/tasks.json', content: '{}\n' }] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', content: 'a\n' }] });
});
