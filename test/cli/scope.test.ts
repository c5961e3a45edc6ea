import { expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\n' };
/** All that could steer a terminal, turn text around or hide it. */
const HOSTILE = /(?!\n)\p{Cc}|[\p{Cf}\p{Zl}\p{Zp}]/u;

const WHOLE = [
  ...['--unit', 'src/a.txt', '--unit', 'docs', '--phase', 'test', '--consumes', 'S001', '--parent', 'S001'],
  ...['--produces', 'src/a.txt', '--produces', 'out/report.json=report', '--input', 'REQ-003', '--input', 'REQ-004'],
  ...['--non-goal', 'No new dependency.', '--done', 'It works.', '--check', 'test -s src/a.txt', '--priority', '-2'],
  ...['--note', 'First line.\nSecond line.'],
];

async function bench() {
  const workspace = newWorkspace(FILES);
  const run = (...args: string[]) => runCli(args, { cwd: workspace.root });
  const json = async (...args: string[]) => {
    const { code, out, err } = await run(...args, '--json');
    expect([args, code, err]).toEqual([args, 0, '']);
    return JSON.parse(out);
  };
  return { ...workspace, run, json };
}

test('a scope is opened with its whole contract, which scope show tells', async () => {
  const { run, json, events } = await bench();
  expect(await run('open', 'Write the spec')).toEqual({ code: 0, out: 'S001 is open.\n', err: '' });
  expect(await json('open', '  Build it ', ...WHOLE)).toEqual({ id: 'S002', title: 'Build it' });
  const [, opened] = await events();
  expect(await json('scope', 'show', 'S002')).toEqual({
    id: 'S002',
    title: 'Build it',
    status: 'open',
    phase: 'test',
    priority: -2,
    units: ['src/a.txt', 'docs'],
    parent: 'S001',
    blocked_on: ['S001'],
    attempts: 0,
    note: 'First line.\nSecond line.',
    consumes: ['S001'],
    produces: [
      { path: 'src/a.txt', type: 'file' },
      { path: 'out/report.json', type: 'report' },
    ],
    inputs: ['REQ-003', 'REQ-004'],
    non_goals: ['No new dependency.'],
    done: ['It works.'],
    checks: ['test -s src/a.txt'],
    children: [],
    history: [],
    locks: [],
    notes: [],
    artifacts: [],
    changes: [],
    runs: [],
    opened_by: opened?.agent,
    opened_at: new Date(opened?.wall ?? 0).toISOString(),
    updated_at: new Date(opened?.wall ?? 0).toISOString(),
    revision: expect.stringMatching(/^\w{16}$/),
  });
  const { out } = await run('scope', 'show', 'S002');
  expect(out).toMatch(/^S002 {2}open {2}Build it\nphase +test, priority -2\nnote +First line\.\n +Second line\.\n/);
  expect(out).toMatch(
    /\nunits +src\/a\.txt\n +docs\nconsumes +S001\nproduces +src\/a\.txt\n +out\/report\.json \(report\)\n/,
  );
  expect(out).toMatch(/\nchecks +test -s src\/a\.txt\nparent +S001\nwaits for +S001\nattempts +0\nopened +/);
});

test.each<[string[], string, RegExp]>([
  [[''], 'INVALID', /title: expected text that is not empty/],
  [['x'.repeat(201)], 'INVALID', /title: expected .*at most 200/],
  [['a\u202eb'], 'INVALID', /title: .*invisible/],
  [['t', '--unit', 'src/', '--unit', '../x'], 'OUTSIDE', /units\[1\]: \.\.\/x is outside/],
  [['t', '--produces', 'src/'], 'INVALID', /produces\[0\]: /],
  [['t', '--check', ''], 'INVALID', /checks\[0\]: expected text that is not empty.*\nNothing was opened/],
  [['t', '--consumes', 'S099'], 'UNKNOWN_SCOPE', /S099/],
  [['t', '--parent', 'S099'], 'UNKNOWN_SCOPE', /S099/],
  [['t', '--note', 'x'.repeat(10_241)], 'INVALID', /note: /],
])('what does not fit opens nothing, and the reason names the part: %j', async (args, code, reason) => {
  const { run, events } = await bench();
  const ended = await run('open', ...args);
  expect([ended.code, ended.out]).toEqual([1, '']);
  expect(ended.err).toMatch(new RegExp(`^signalbox: ${code}: `));
  expect(ended.err).toMatch(reason);
  expect((await events()).filter(({ body }) => body.type !== 'refused')).toEqual([]);
});

test('scope show tells of owner, locks, commands, changes, outputs, notes and who undid it', async () => {
  const { root, run, json } = await bench();
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope, generation } = await ada.ok('claim_scope', { title: 'Change a', units: ['src/'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
  const failed = await ada.ok('run', { scope, command: 'echo \u001b[2J; exit 3' });
  await ben.ok('claim_scope', { title: 'Next', units: ['src/a.txt'], wait_s: 0 });
  const active = await json('scope', 'show', 'S001');
  expect(active).toMatchObject({
    status: 'active',
    agent: 'ada',
    locks: [{ unit: 'src/', mode: 'write', generation }],
    runs: [{ run: failed.run, state: 'exited', log: failed.log }],
    changes: [{ path: 'src/a.txt' }],
  });
  const shown = (await run('scope', 'show', 'S001')).out;
  expect(shown).not.toMatch(HOSTILE);
  expect(shown).toMatch(/\nowner +ada\nholds +src\/ \(write, generation \d+\)\n/);
  expect(shown).toMatch(/\nchanges +src\/a\.txt {2}\w{10} → \w{10}\ncommands +R001 {2}exited {2}echo/);
  expect((await run('scope', 'show', 'S002')).out).toMatch(
    /\nqueue +place 1 for src\/a\.txt \(write\)\n +behind S001 \(ada\): src\/\n/,
  );
  await ada.ok('publish_output', { scope, summary: 'It is\ndone', artifacts: [{ type: 'file', path: 'src/a.txt' }] });
  await ben.ok('release_scope', { scope: (await ben.ok('list_scopes', { mine: true })).scopes[0].scope });
  await run('undo', 'S001');
  const done = (await run('scope', 'show', 'S001')).out;
  expect(done).toMatch(/^S001 {2}done \(undone by S003\) {2}Change a\n/);
  expect(done).toMatch(/\nchildren +S003\n/);
  expect(done).toMatch(
    /\nsummary +It is\n +done\ncommit +\w{40}\noutputs +A\d+ {2}file {2}src\/a\.txt {2}\w{10} {2}in \w{10}\n/,
  );
});
