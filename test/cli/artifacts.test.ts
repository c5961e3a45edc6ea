import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { MAIN, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const BINARY = Buffer.from([0, 1, 2, 255]);

async function bench() {
  const workspace = newWorkspace({ 'src/a.txt': 'one\n' });
  const { root } = workspace;
  writeFileSync(join(root, 'src/b.bin'), BINARY);
  const ada = await stdioAgent(root, 'ada');
  const publish = async (
    title: string,
    text: string,
    artifacts: readonly object[],
    consumes: readonly string[] = [],
  ) => {
    const { scope } = await ada.ok('claim_scope', { title, units: ['src/'], consumes });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: text, new_string: `${text}!` }] });
    return ada.ok('publish_output', { scope, summary: title, artifacts });
  };
  const first = await publish('First', 'one', [
    { type: 'file', path: 'src/a.txt' },
    { type: 'file', path: 'src/b.bin' },
    { type: 'report', content: 'fine \u001b[2J\n' },
  ]);
  const second = await publish('Second', 'one!', [{ type: 'file', path: 'src/a.txt' }], ['S001']);
  const run = (...args: string[]) => runCli(['artifacts', ...args], { cwd: root });
  const ids = async (...args: string[]) =>
    JSON.parse((await run(...args, '--json')).out).artifacts.map(({ id }: { id: string }) => id);
  return { ...workspace, first, second, run, ids };
}

test('artifacts are listed with where they come from, and found by scope, type and path', async () => {
  const { first, second, run, ids, root } = await bench();
  const { out, code, err } = await run();
  expect([code, err]).toEqual([0, '']);
  const short = (hash: string) => hash.slice(0, 10);
  const [a, b, report] = first.artifacts;
  expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
    'id scope agent type path hash run commit superseded by',
    `A001 S001 ada file src/a.txt ${short(a.hash)} ${short(first.commit)} A004`,
    `A002 S001 ada file src/b.bin ${short(b.hash)} ${short(first.commit)}`,
    `A003 S001 ada report ${short(report.hash)} ${short(first.commit)}`,
    `A004 S002 ada file src/a.txt ${short(second.artifacts[0].hash)} ${short(second.commit)}`,
    '',
  ]);
  const { artifacts } = JSON.parse((await run('--json')).out);
  expect(artifacts.at(-1)).toMatchObject({
    scope: 'S002',
    inputs: { artifacts: [{ id: 'A001', scope: 'S001' }, {}, {}] },
  });
  expect(await ids('--scope', 'S002')).toEqual(['A004']);
  expect(await ids('--type', 'report')).toEqual(['A003']);
  expect(await ids('--path', 'src/a.txt')).toEqual(['A001', 'A004']);
  expect(await ids('--path', join(root, 'src/./a.txt'), '--scope', 'S001')).toEqual(['A001']);
});

test('a content comes as it is, to a program or a new file', async () => {
  const { first, run, root } = await bench();
  const [a, b, report] = first.artifacts;
  expect(await run(a.hash)).toEqual({ code: 0, out: 'one!\n', err: '' });
  expect((await run(`artifact:${a.hash.slice(0, 10)}`)).out).toBe('one!\n');
  expect((await run(report.hash)).out).toBe('fine \u001b[2J\n');
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'artifacts', b.hash], {
    cwd: root,
    encoding: 'buffer',
  });
  expect(stdout).toEqual(BINARY);
  expect(JSON.parse((await run(b.hash, '--json')).out)).toEqual({
    hash: b.hash,
    size: 4,
    base64: BINARY.toString('base64'),
  });
  expect(JSON.parse((await run(a.hash, '--json')).out)).toEqual({ hash: a.hash, size: 5, text: 'one!\n' });
  expect((await run(b.hash, '--output', 'out.bin')).out).toBe('4 bytes are in out.bin.\n');
  expect(readFileSync(join(root, 'out.bin'))).toEqual(BINARY);
  const again = await run(a.hash, '--output', 'out.bin');
  expect([again.code, again.err]).toEqual([
    1,
    expect.stringMatching(/^signalbox: INVALID: out\.bin: is there already/),
  ]);
  expect(readFileSync(join(root, 'out.bin'))).toEqual(BINARY);
});

test.skipIf(process.platform !== 'linux')(
  'a terminal is shown text, without what could steer it, and no binary',
  async () => {
    const { first, root } = await bench();
    const [, b, report] = first.artifacts;
    const onTerminal = (hash: string) =>
      promisify(execFile)('script', ['-qec', `'${process.execPath}' '${MAIN}' artifacts ${hash}`, '/dev/null'], {
        cwd: root,
      });
    expect((await onTerminal(report.hash)).stdout).toContain('fine \\u{1b}[2J');
    await expect(onTerminal(b.hash)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/BINARY: artifact:\w+ has 4 bytes that are not text.*\r\nSave it with --output/),
    });
  },
);
