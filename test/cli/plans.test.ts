import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PHASES } from '../../src/domain/scope.js';
import { MAIN, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const PLAN = `version: 1
scopes:
  - key: api
    title: Build the API
    units: [src/api/]
    inputs: [REQ-003]
    consumes: [spec]
    produces: [docs/api.md, {path: out.json, type: report}]
    non_goals: [No new dependency.]
    done: [Every route has a test.]
    checks: [npm test]
    parent: all
  - {key: spec, title: Write the spec, phase: design, priority: 3, parent: all}
  - {key: all, title: All of it, note: "Several\\nlines."}
`;

test('a plan is imported whole: agents take it up in its order, and it is exported as it came', async () => {
  const { root, write } = newWorkspace({ 'plan.yaml': PLAN });
  const imported = await runCli(['scopes', 'import', 'plan.yaml', '--json'], { cwd: root });
  expect([imported.code, imported.err]).toEqual([0, '']);
  expect(JSON.parse(imported.out).scopes).toEqual([
    { id: 'S001', key: 'api', title: 'Build the API' },
    { id: 'S002', key: 'spec', title: 'Write the spec' },
    { id: 'S003', key: 'all', title: 'All of it' },
  ]);
  const ada = await stdioAgent(root, 'ada');
  expect(await ada.ok('claim_scope', { phase: 'design' })).toMatchObject({ id: 'S002' });
  expect(await ada.ok('claim_scope', { scope: 'S001', wait_s: 0 })).toMatchObject({ blocked_on: ['S002'] });
  await ada.ok('open_scope', { title: 'Also' });
  await ada.ok('claim_scope', { title: 'For myself', units: ['x/'] });
  const { code, out, err } = await runCli(['scopes', 'export'], { cwd: root });
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('    checks:\n      - npm test\n');
  const json = JSON.parse((await runCli(['scopes', 'export', '--json'], { cwd: root })).out);
  expect(json.scopes.map(({ title }: { title: string }) => title)).toEqual([
    'Build the API',
    'Write the spec',
    'All of it',
    'Also',
  ]);
  expect(json.scopes[0]).toEqual({
    key: 'S001',
    title: 'Build the API',
    phase: 'build',
    units: ['src/api/'],
    inputs: ['REQ-003'],
    consumes: ['S002'],
    produces: ['docs/api.md', { path: 'out.json', type: 'report' }],
    non_goals: ['No new dependency.'],
    done: ['Every route has a test.'],
    checks: ['npm test'],
    parent: 'S003',
  });
  write('again.json', JSON.stringify(json));
  expect((await runCli(['scopes', 'import', 'again.json'], { cwd: root })).out).toMatch(/S008 +S003 +All of it\n/);
});

test('the short names do the same', async () => {
  const { root } = newWorkspace({ 'plan.yaml': PLAN });
  const run = (...args: string[]) => runCli(args, { cwd: root });
  expect(await run('import', 'plan.yaml')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/S001 +api +Build the API/),
  });
  expect(await run('export', '--json')).toEqual(await run('scopes', 'export', '--json'));
});

test('an export of some scopes says which references it had to leave out', async () => {
  const { root } = newWorkspace({ 'plan.yaml': PLAN });
  await runCli(['scopes', 'import', 'plan.yaml'], { cwd: root });
  const ada = await stdioAgent(root, 'ada');
  await ada.ok('claim_scope', { scope: 'S002' });
  await ada.ok('publish_output', { summary: 'written' });
  const { code, out, err } = await runCli(['scopes', 'export', '--status', 'open', '--json'], { cwd: root });
  expect(code).toBe(0);
  expect(JSON.parse(out).scopes.map(({ key }: { key: string }) => key)).toEqual(['S001', 'S003']);
  expect(err).toBe('signalbox: S001 names S002 as consumes, which is not in the plan: left out\n');
});

const KEYS = Array.from({ length: 1_000 }, (_, at) => `k${at}`);
test.each([
  [
    'in what it consumes',
    [
      ...KEYS.map((key) => ({ title: 'A', key })),
      ...Array.from({ length: 20 }, () => ({ title: 'B', consumes: KEYS })),
    ],
    'consume at most 30000 others together; this one has 40000.',
  ],
  ['in size', Array.from({ length: 250 }, () => ({ title: 'A', note: 'x'.repeat(9_000) })), '4 MB; this one has 4.5.'],
])('an export that is larger than import takes, %s, is whole, and says so', async (_, scopes, reason) => {
  const { root } = newWorkspace({ 'plan.json': JSON.stringify({ version: 1, scopes }) });
  for (let times = 0; times < 2; times++) {
    expect((await runCli(['scopes', 'import', 'plan.json'], { cwd: root })).code).toBe(0);
    const { code, out, err } = await runCli(['scopes', 'export', '--json'], { cwd: root });
    expect([code, JSON.parse(out).scopes.length]).toEqual([0, (times + 1) * scopes.length]);
    if (times === 0) expect(err).toBe('');
    else expect(err).toMatch(/^signalbox: import takes this in parts only \(--status open leaves out .*\): .*\n$/);
    expect(err).toContain(times === 0 ? '' : reason);
  }
});

const units = fc.uniqueArray(fc.constantFrom('src/', 'a b.ts', 'src/**/*.sql', 'process:build', "it's.md"), {
  maxLength: 3,
});
const plan = fc.array(
  fc.record({
    phase: fc.constantFrom(...PHASES),
    units,
    done: fc.array(fc.constantFrom('# no comment', '- no list', 'two\nlines\n'), { maxLength: 2 }),
    priority: fc.integer({ min: -2, max: 2 }),
    consumes: fc.uniqueArray(fc.nat(40), { maxLength: 3 }),
    parent: fc.nat(40),
    note: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  }),
  { minLength: 30, maxLength: 40 },
);

test('an export imported into a fresh workspace gives the same plan', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (entries) => {
      const scopes = entries.map(({ consumes, parent, ...rest }, at) => ({
        key: `k${at}`,
        title: `T${at}`,
        ...rest,
        ...(parent > at && parent < entries.length ? { parent: `k${parent}` } : {}),
        consumes: consumes.filter((other) => other < at).map((other) => `k${other}`),
      }));
      const first = newWorkspace({ 'plan.json': JSON.stringify({ version: 1, scopes: scopes.toReversed() }) });
      expect((await runCli(['scopes', 'import', 'plan.json'], { cwd: first.root })).err).toBe('');
      const { out } = await runCli(['scopes', 'export'], { cwd: first.root });
      const second = newWorkspace();
      const piped = spawnSync(process.execPath, [MAIN, 'scopes', 'import', '-'], { cwd: second.root, input: out });
      expect(String(piped.stderr)).toBe('');
      expect((await runCli(['scopes', 'export'], { cwd: second.root })).out).toBe(out);
    }),
    { numRuns: 1, endOnFailure: true },
  );
});

test.each([
  ['is not there', undefined, 'NOT_FOUND', /plan\.yaml: is not there\nName a file/],
  ['is a folder', 'folder', 'INVALID', /is no file/],
  ['is no text', '\xff', 'INVALID', /is no UTF-8 text/],
  ['is too large', `#${'x'.repeat(4_000_000)}`, 'LIMIT', /more than 4 MB/],
  [
    'has 10⁵ scopes',
    `version: 1\nscopes:\n${'- {title: a}\n'.repeat(100_000)}`,
    'LIMIT',
    /plan\.yaml: has a list of more than 10001 items\nSplit the plan/,
  ],
  [
    'has one scope too many',
    `version: 1\nscopes:\n${'- {title: a}\n'.repeat(10_001)}`,
    'LIMIT',
    /yaml:3: scopes: A plan has at most 10000 scopes; this one has 10001/,
  ],
  [
    'names a key twice',
    '- {title: a, key: k}\n- {title: b, key: k}\n',
    'INVALID',
    /yaml:4: scopes\[1\]\.key: Two scopes/,
  ],
  [
    'waits in a circle',
    '- {title: a, key: a, consumes: [b]}\n- {title: b, key: b, consumes: [a]}\n',
    'DEADLOCK',
    /yaml:3: scopes\[0\]\.consumes\[0\]: .* a waits for b/,
  ],
  [
    'has a circle of parents',
    '- {title: x}\n- {title: a, key: a, parent: b}\n- {title: b, key: b, parent: a}\n',
    'INVALID',
    /yaml:4: scopes\[1\]\.parent: .* a is a part of b/,
  ],
  [
    'consumes what is not there',
    '- {title: a, key: a}\n- title: b\n  consumes:\n  - a\n  - S099\n',
    'UNKNOWN_SCOPE',
    /yaml:7: scopes\[1\]\.consumes\[1\]: .*S099/,
  ],
  [
    'is a part of what is not there',
    '- {title: a}\n- {title: b, parent: S099}\n',
    'UNKNOWN_SCOPE',
    /yaml:4: .*\.parent: /,
  ],
  [
    'leaves the workspace',
    '- {title: a}\n- title: b\n  units:\n  - ../x\n',
    'OUTSIDE',
    /yaml:6: scopes\[1\]\.units\[0\]: /,
  ],
  [
    'is wrong in two places',
    '- {title: a, unit: [b]}\n- {title: ""}\n',
    'INVALID',
    /:3: .*"unit" is no key.*\n.*:4: scopes\[1\]/,
  ],
])('a plan that %s is refused with the place, and nothing of it is opened', async (_, text, code, reason) => {
  const workspace = newWorkspace();
  if (text === 'folder') workspace.write('plan.yaml/x', '');
  else if (text?.startsWith('-')) workspace.write('plan.yaml', `version: 1\nscopes:\n${text}`);
  else if (text === '\xff') writeFileSync(join(workspace.root, 'plan.yaml'), Buffer.from([0xff]));
  else if (text !== undefined) workspace.write('plan.yaml', text);
  const ended = await runCli(['scopes', 'import', join(workspace.root, 'plan.yaml')], { cwd: workspace.root });
  expect([ended.code, ended.out]).toEqual([1, '']);
  expect(ended.err).toMatch(new RegExp(`^signalbox: ${code}: `));
  expect(ended.err).toMatch(reason);
  const events = await workspace.events();
  expect(events.filter(({ body }) => body.type !== 'refused')).toEqual([]);
});
