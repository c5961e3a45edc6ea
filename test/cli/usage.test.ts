import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const COMMANDS = [
  ['mcp', 'serve', 'demo', 'doctor', 'status', 'events', 'diff', 'log', 'artifacts', 'blame', 'undo'],
  ['scopes', 'scope', 'open', 'import', 'export', 'hold', 'release', 'token'],
].flat();
const COLOUR = '\u001b[';

test('the help names every command, and each command has one of its own', async () => {
  const { code, out } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const name of COMMANDS) expect.soft(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  const helps = await Promise.all(COMMANDS.map((name) => runCli([name, '--help'])));
  for (const [at, help] of helps.entries()) {
    expect.soft([COMMANDS[at], help.code, help.err]).toEqual([COMMANDS[at], 0, '']);
    expect.soft(help.out).toMatch(new RegExp(`^Usage: signalbox ${COMMANDS[at]} `));
  }
});

test.each([
  [[], /Usage: signalbox/],
  [['nope'], /unknown command 'nope'/],
  [['status', '--nope'], /unknown option '--nope'/],
  [['hold'], /missing required argument 'units'/],
  [['release'], /missing required argument 'scope'/],
  [['scopes', '--status', 'finished'], /Allowed choices are open, waiting/],
  [['scopes', '--phase', 'coding'], /Allowed choices are analyze/],
  [['events', '--after', '-1'], /whole number/],
  [['events', '--phase', 'coding'], /Allowed choices are analyze/],
  [['scope', 'show'], /missing required argument 'scope'/],
  [['open'], /missing required argument 'title'/],
  [['open', 't', '--priority', 'high'], /whole number/],
  [['open', 't', '--phase', 'coding'], /Allowed choices are analyze/],
  [['import'], /missing required argument 'plan'/],
  [['export', '--status', 'finished'], /Allowed choices are open/],
  [['undo'], /missing required argument 'scope'/],
  [['blame'], /missing required argument 'path'/],
  [['artifacts', 'a', 'b'], /too many arguments/],
  [['serve', '--port', '70000'], /up to 65535/],
  [['mcp', 'more'], /too many arguments/],
])('wrong usage ends with 2 and says why on stderr: %j', async (args, reason) => {
  const { root } = newWorkspace();
  const { code, out, err } = await runCli(args, { cwd: root });
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(reason);
});

test.each([
  [['diff', 'S001'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['diff', 'nonsense', '--json'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['release', 'S001'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['undo', 'S001', '--json'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['scope', 'show', 'S001'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['artifacts', '--scope', 'S001'], 'UNKNOWN_SCOPE', '`signalbox scopes` lists the scopes'],
  [['artifacts', '--path', '../x'], 'OUTSIDE', 'Pass a path inside the workspace'],
  [['artifacts', '0123456789'], 'NOT_FOUND', 'Take the hash from'],
  [['events', '--type', 'scope.gone'], 'INVALID', '`signalbox events` shows the types'],
  [['events', '--follow', '--type', 'scope.gone'], 'INVALID', '`signalbox events` shows the types'],
  [['scopes', '--path', '../x'], 'OUTSIDE', 'Pass a path inside the workspace'],
  [['hold', '/etc/passwd', '--json'], 'OUTSIDE', 'Pass a path inside the workspace'],
  [['hold', '.git/'], 'PROTECTED', 'No agent can change it'],
  [['status', '--root', '/nowhere/at/all'], 'NOT_FOUND', 'Start in the folder of the project'],
])('a refusal ends with 1, and what helps a person: %j', async (args, refusal, next) => {
  const { root } = newWorkspace();
  const { code, out, err } = await runCli(args, { cwd: root });
  expect([code, out]).toEqual([1, '']);
  expect(err.startsWith(`signalbox: ${refusal}: `)).toBe(true);
  expect(err).toContain(`\n${next}`);
  expect(err).not.toContain(COLOUR);
});

test('in an empty workspace every look says so, in words and in JSON', async () => {
  const { root } = newWorkspace();
  const looks = [
    ['status', /Nobody holds or waits for anything/, { root, seq: 0, scopes: [], failed: [] }],
    ['scopes', /No scopes/, { scopes: [], seq: 0 }],
    ['diff', /^$/, []],
    ['artifacts', /No artifacts/, { artifacts: [] }],
    ['export', /^version: 1\nscopes: \[\]\n$/, { version: 1, scopes: [] }],
  ] as const;
  for (const [name, words, json] of looks) {
    const plain = await runCli([name], { cwd: root });
    expect.soft([name, plain.code, plain.err]).toEqual([name, 0, '']);
    expect.soft(plain.out).toMatch(words);
    expect.soft(JSON.parse((await runCli([name, '--json'], { cwd: root })).out)).toEqual(json);
  }
  expect(await runCli(['events', '--json'], { cwd: root })).toEqual({ code: 0, out: '', err: '' });
});
