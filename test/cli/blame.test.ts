import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDriver } from '../../src/store/sqlite/driver.js';
import { DATABASE } from '../../src/store/sqlite/options.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const LINES = 'one\ntwo\nthree\nfour\n';

async function bench(files: { readonly [path: string]: string } = { 'src/a.txt': LINES }) {
  const workspace = newWorkspace(files);
  const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
  const run = (...args: string[]) => runCli(['blame', ...args], { cwd: workspace.root });
  const blame = async (path: string) => {
    const { code, out, err } = await run(path, '--json');
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out);
  };
  /** Who made which lines, in short. */
  const makers = async (path: string): Promise<string[]> =>
    (await blame(path)).ranges.map(({ from, to, by, scope, agent }: { [name: string]: string | number }) =>
      [`${from}-${to}`, by, scope, agent].filter((part) => part !== undefined).join(' '),
    );
  return { ...workspace, ada, ben, run, blame, makers };
}

async function edit(agent: Agent, title: string, edits: readonly object[]): Promise<void> {
  const { scope } = await agent.ok('claim_scope', { title });
  await agent.ok('patch', { scope, edits });
  await agent.ok('publish_output', { scope, summary: title });
}

function replace(from: string, to: string, path = 'src/a.txt'): object[] {
  return [{ path, old_string: from, new_string: to }];
}

test('every line names the scope and the agent that made it, the command too, and what came from outside', async () => {
  const { ada, ben, blame, makers, run, write, text, events } = await bench();
  expect(await makers('src/a.txt')).toEqual(['1-4 before']);
  await edit(ada, 'Translate', replace('two', 'zwei\nzwei'));
  const { scope } = await ben.ok('claim_scope', { title: 'Append', units: ['src/a.txt'] });
  const ran = await ben.ok('run', { scope, command: 'echo five >> src/a.txt' });
  await ben.ok('publish_output', { scope, summary: 's' });
  write('src/a.txt', text('src/a.txt').replace('one', 'ONE'));
  const found = await blame('src/a.txt');
  const [first, second] = (await events()).filter(({ body }) => body.type === 'files.changed');
  const time = (wall = 0) => new Date(wall).toISOString();
  expect(found).toEqual({
    path: 'src/a.txt',
    version: expect.stringMatching(/^[0-9a-f]{64}$/),
    total_lines: 6,
    ranges: [
      { from: 1, to: 1, by: 'outside', text: 'ONE\n' },
      {
        from: 2,
        to: 3,
        by: 'scope',
        scope: 'S001',
        title: 'Translate',
        agent: 'ada',
        seq: first?.seq,
        time: time(first?.wall),
        text: 'zwei\nzwei\n',
      },
      { from: 4, to: 5, by: 'before', text: 'three\nfour\n' },
      {
        from: 6,
        to: 6,
        by: 'scope',
        scope: 'S002',
        title: 'Append',
        agent: 'ben',
        run: ran.run,
        seq: second?.seq,
        time: time(second?.wall),
        text: 'five\n',
      },
    ],
  });
  const { out, err, code } = await run('src/a.txt:2-4');
  const day = time(first?.wall).slice(0, 10);
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe(
    `S001  ada         ${day}  2  zwei\nS001  ada         ${day}  3  zwei\nbefore Signalbox              4  three\n`,
  );
  expect(await makers('src/a.txt:4')).toEqual(['4-4 before']);
});

test('lines keep their makers when the file gets another name, and lose them when it is written anew', async () => {
  const { ada, ben, makers, write } = await bench({ 'src/a.txt': LINES, 'a:1': 'x\n' });
  await edit(ada, 'Translate', replace('two', 'zwei'));
  write('src/a.txt', 'zero\none\nzwei\nthree\nfour\n');
  await ben.ok('read', { paths: ['src/a.txt'] });
  await edit(ben, 'Move', [{ path: 'src/a.txt', move_to: 'src/b.txt' }]);
  const expected = ['1-1 outside', '2-2 before', '3-3 scope S001 ada', '4-5 before'];
  expect(await makers('src/b.txt')).toEqual(expected);
  await edit(ada, 'Move again', [{ path: 'src/b.txt', move_to: 'c.txt' }]);
  await edit(ben, 'Count', replace('four', 'vier', 'c.txt'));
  expect(await makers('c.txt')).toEqual([
    '1-1 outside',
    '2-2 before',
    '3-3 scope S001 ada',
    '4-4 before',
    '5-5 scope S004 ben',
  ]);
  await edit(ada, 'Begin anew', [{ path: 'src/a.txt', content: LINES }]);
  expect(await makers('src/a.txt')).toEqual(['1-4 scope S005 ada']);
  expect(await makers('a:1')).toEqual(['1-1 before']);
});

test('a content that is not kept any more leaves lines of which nobody knows who made them', async () => {
  const { root, ada, ben, makers, store, text } = await bench();
  await edit(ada, 'Translate', replace('two', 'zwei'));
  await edit(ben, 'Translate more', replace('three', 'drei'));
  await edit(ada, 'Translate all', replace('four', 'vier'));
  const [, second] = await (await store()).changes({ path: 'src/a.txt', limit: 3 });
  await Promise.all([ada.close(), ben.close()]);
  const driver = openDriver(join(root, '.signalbox', DATABASE));
  driver.exec(`DELETE FROM contents WHERE hash = '${second?.after}'`);
  driver.close();
  expect(await makers('src/a.txt')).toEqual(['1-1 before', '2-2 scope S001 ada', '3-4 unknown']);
  expect(text('src/a.txt')).toBe('one\nzwei\ndrei\nvier\n');
});

test('what has no lines to tell of is refused', async () => {
  const files = { 'src/a.txt': LINES, 'src/gone.txt': 'x\n', 'src/b.bin': '\0\n', 'long.txt': '\n'.repeat(50_001) };
  const { ada, run } = await bench(files);
  const [file] = (await ada.ok('read', { paths: ['src/gone.txt'] })).files;
  await edit(ada, 'Remove', [{ path: 'src/gone.txt', delete: true, base: file.version }]);
  const cases: [path: string, code: string, reason: RegExp][] = [
    ['nothing.txt', 'NOT_FOUND', /nothing\.txt is not there\.\n/],
    ['src/gone.txt', 'NOT_FOUND', /not there any more: S001 took it away/],
    ['src/', 'INVALID', /is a folder/],
    ['../x', 'OUTSIDE', /inside the workspace/],
    ['src/b.bin', 'BINARY', /is not text/],
    ['src/a.txt:9', 'INVALID', /expected lines from 1 to 4/],
    ['src/a.txt:3-2', 'INVALID', /expected lines from 1 to 4/],
    ['long.txt', 'LIMIT', /long\.txt has 50001 lines/],
  ];
  for (const [path, code, reason] of cases) {
    const ended = await run(path);
    expect.soft([path, ended.code, ended.out]).toEqual([path, 1, '']);
    expect.soft(ended.err).toMatch(new RegExp(`^signalbox: ${code}: `));
    expect.soft(ended.err).toMatch(reason);
  }
});

test('promise 12: a file that was changed too often is refused', async () => {
  const { store, run } = await bench();
  const path = 'src/a.txt';
  const files = (number: number) => [{ path, before: `${number}`, after: `${number + 1}` }];
  const events = Array.from({ length: 5_001 }, (_, number) => ({
    type: 'files.outside' as const,
    files: files(number),
  }));
  await (await store()).transact({ agent: 'outside', connection: 'outside' }, {}, () => ({ answer: true, events }));
  const ended = await run(path);
  expect([ended.code, ended.err]).toEqual([1, expect.stringMatching(/LIMIT: src\/a\.txt has more than 5000 changes/)]);
});
