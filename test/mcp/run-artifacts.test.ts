import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { GATES_IGNORED, gate, pulse } from '../support/gates.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n', 'held.txt': 'held\n', '.gitignore': GATES_IGNORED };

async function whole(agent: Agent, run: string, start = 0): Promise<string> {
  let text = '';
  for (let from: number | undefined = start; from !== undefined; ) {
    const page: { output: string; next?: number } = await agent.ok('run', { run, from });
    text += page.output;
    from = page.next;
  }
  return text;
}

test('promise 8: what a run printed and changed is kept, and found by run, scope and agent', async () => {
  const { root, text, events } = newWorkspace(FILES);
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  await ben.ok('claim_scope', { title: 'Bens', units: ['held.txt'] });
  const { scope, id } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
  const command = 'sed -i s/one/eins/ src/a.txt; rm src/b.txt; echo n > src/n.txt; echo x > held.txt; echo said';
  const ran = await ada.ok('run', { scope, command });

  const files: { text: string }[] = (
    await ben.ok('read', { paths: [`artifact:${ran.diff}`, `artifact:${ran.log.slice(0, 10)}`] })
  ).files;
  const [diff, log] = files.map((file) => file.text);
  expect(log).toBe('said\n');
  expect(diff).not.toContain('held');
  execFileSync('git', ['apply', '--reverse', '-'], { cwd: root, input: diff });
  expect([text('src/a.txt'), text('src/b.txt')]).toEqual(['one\ntwo\n', 'b\n']);
  execFileSync('git', ['apply', '-'], { cwd: root, input: diff });

  const ends = (await events()).filter(({ body }) => body.type === 'run.ended');
  const { log: logHash, diff: diffHash } = ran;
  const refused = [{ path: 'held.txt', reason: expect.stringMatching(/^HELD: /) }];
  expect(ends.map(({ agent, body }) => ({ agent, ...body }))).toMatchObject([
    { agent: 'ada', run: 'R001', scope: id, log: logHash, diff: diffHash, rejected: 1, refused },
  ]);
  const listed = await ben.ok('list_scopes', { id });
  expect(listed.scopes[0].runs).toEqual([{ run: 'R001', command, state: 'exited', log: logHash, diff: diffHash }]);
  const shown = await runCli(['diff', '--run', 'R001'], { cwd: root });
  expect(shown).toMatchObject({ code: 0, out: diff });
  const json = JSON.parse((await runCli(['log', 'R001', '--json'], { cwd: root })).out);
  expect(json).toMatchObject({ run: 'R001', scope: id, agent: 'ada', artifact: logHash, log: 'said\n' });
});

test('a run that printed and changed nothing leaves no artifact', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ran = await ada.ok('run', { command: 'true' });
  expect([ran.log, ran.diff, ran.output]).toEqual([undefined, undefined, '']);
  expect((await runCli(['diff', '--run', 'R001'], { cwd: root })).out).toBe('R001 changed nothing.\n');
  expect(await runCli(['log', 'R002'], { cwd: root })).toMatchObject({ code: 1, err: /NOT_FOUND: There is no run/ });
});

test('promise 8: output, rejections and changes of a run are told by any server, also after a restart', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
  const command = 'seq 1 9000; echo x > src/a.txt; ln -s a src/link; exit 3';
  const ran = await ada.ok('run', { scope, command });
  const output = await whole(ada, ran.run);
  await ada.close();
  const ben = await stdioAgent(root, 'ben');
  const later = await ben.ok('run', { run: ran.run });
  const { state, exit_code, changed, rejected, log, diff } = ran;
  expect(later).toMatchObject({ state, exit_code, output: ran.output, changed, rejected, log, diff });
  expect(later.duration_ms).toBeGreaterThan(0);
  expect(await whole(ben, ran.run)).toBe(output);
});

test('promise 12: of a flood of output both ends are kept, and its places stay where they were', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { hold, begun } = pulse(root);
  const { wait, open } = gate(root, 'gate');
  const command = `seq 100000 699999; ${hold}; ${wait}`;
  const { run } = await ada.ok('run', { command, background: true });
  await begun;
  const during = await ada.ok('run', { run, from: 2_100_000, wait_s: 0 });
  expect(during.output).toMatch(/^400000\n400001\n/);
  open();
  const ended = await ada.ok('run', { run });
  expect(ended).toMatchObject({ state: 'exited', exit_code: 0 });
  const kept = await whole(ada, run);
  expect(kept).toMatch(/^100000\n.*\n\[… \d+ bytes of output are not kept …\]\n.*699999\n$/s);
  expect(Buffer.byteLength(kept)).toBeLessThan(1_050_000);
  const left = Number(/\[… (\d+) bytes of output/.exec(kept)?.[1]);
  expect(Buffer.byteLength(kept.replace(/\n\[… .* …\]\n/, '')) + left).toBe(4_200_000);
  expect(await whole(ada, run, 4_200_000 - 70)).toBe(
    Array.from({ length: 10 }, (_, at) => `${699_990 + at}\n`).join(''),
  );
  expect((await ada.ok('run', { run, from: 2_100_000 })).output).toMatch(/^\n\[… \d+ bytes/);
});

test('a command whose call was given up is found again, and named by whoever it keeps waiting', async () => {
  const config = 'processes:\n  build:\n    match: ["true build*"]\n';
  const { root } = newWorkspace({ ...FILES, 'signalbox.yaml': config });
  const ada = await stdioAgent(root, 'ada');
  const { scope, id } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
  const lost = pulse(root);
  const controller = new AbortController();
  const command = `true build; ${lost.hold}; exec sleep 1000`;
  const call = ada.call('run', { scope, command }, { signal: controller.signal }).catch(() => undefined);
  await lost.begun;
  controller.abort();
  await call;
  const mine = await ada.ok('list_scopes', { mine: true });
  const running = [{ run: 'R001', command, state: 'running' }];
  expect(mine.scopes.find((each: { id: string }) => each.id === id).runs).toEqual(running);
  const busy = await ada.refused('WAITING', 'run', { command: 'true build', wait_s: 0 });
  expect(busy.text).toMatch(/its command is R001\..*That is your own: run \{"run": "R001"\} follows it/s);
  const ben = await stdioAgent(root, 'ben');
  expect((await ben.refused('WAITING', 'run', { command: 'true build', wait_s: 0 })).text).not.toContain('your own');
  await ada.ok('run', { run: 'R001', stop: true });
  await lost.dead;
});

test('a command without a scope whose call was given up is among those of its caller', async () => {
  const { root } = newWorkspace(FILES);
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  const lost = pulse(root);
  const { run } = await ada.ok('run', { command: `${lost.hold}; exec sleep 1000`, background: true });
  await lost.begun;
  expect((await ada.ok('list_scopes', { mine: true })).runs).toMatchObject([{ run, state: 'running' }]);
  expect((await ben.ok('list_scopes', { mine: true })).runs).toBeUndefined();
  await ada.ok('run', { run, stop: true });
  expect((await ada.ok('list_scopes', { mine: true })).runs).toBeUndefined();
});

test('promise 5: what changed while a command ran, by its own scope too, is merged or rejected and never overwritten', async () => {
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join('');
  const { root, text } = newWorkspace({
    ...FILES,
    'src/merged.txt': lines,
    'src/same.txt': lines,
    'src/gone.txt': lines,
  });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
  const { hold, begun } = pulse(root);
  const { wait, open } = gate(root, 'gate');
  const edit =
    "sed -i 's/line 1$/theirs/' src/merged.txt src/same.txt src/gone.txt; rm src/a.txt; echo run > src/new.txt";
  const { run } = await ada.ok('run', { scope, command: `${edit}; ${hold}; ${wait}`, background: true });
  await begun;
  const patched = (path: string, line: number) => ({ path, old_string: `line ${line}\n`, new_string: 'mine\n' });
  const gone = (await ada.ok('read', { paths: ['src/gone.txt'] })).files[0];
  await ada.ok('patch', {
    scope,
    edits: [
      patched('src/merged.txt', 18),
      patched('src/same.txt', 1),
      { path: 'src/gone.txt', delete: true, base: gone.version },
      { path: 'src/a.txt', old_string: 'one', new_string: 'mine' },
      { path: 'src/new.txt', content: 'mine\n' },
    ],
  });
  open();
  const ran = await ada.ok('run', { run });
  expect(ran.changed.map(({ path }: { path: string }) => path)).toEqual(['src/merged.txt']);
  const rejected = Object.fromEntries(
    ran.rejected.map((each: { path: string; reason: string }) => [each.path, each.reason]),
  );
  const stale = expect.stringMatching(/^STALE_BASE: /);
  expect(rejected).toEqual({ 'src/same.txt': stale, 'src/gone.txt': stale, 'src/a.txt': stale, 'src/new.txt': stale });
  expect(text('src/merged.txt')).toBe(lines.replace('line 1\n', 'theirs\n').replace('line 18\n', 'mine\n'));
  expect(text('src/same.txt')).toBe(lines.replace('line 1\n', 'mine\n'));
  expect([text('src/a.txt'), text('src/new.txt')]).toEqual(['mine\ntwo\n', 'mine\n']);
  expect(() => text('src/gone.txt')).toThrow('ENOENT');
});
