import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PHASES } from '../domain/scope.js';
import { type Plan, parsePlan } from '../wire/plan.js';
import { planText } from './commands/plan.js';
import { parseYaml } from './yaml.js';

/** Words that a careless writer of YAML would turn into something else, and any others. */
const tricky = fc.constantFrom(
  'null',
  'yes',
  '~',
  '1e3',
  '0x10',
  '- a',
  '# b',
  'a: b',
  "'",
  '"',
  '*x',
  '&x',
  '!!int',
  ' ',
  '<<',
);
const line = fc
  .oneof(tricky, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }))
  .map((text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim() || 'x');
const lines = fc.array(line, { maxLength: 3 });
const prose = fc.array(line, { minLength: 1, maxLength: 3 }).map((all) => all.join('\n'));
const scope = fc.record(
  {
    key: line,
    title: line,
    phase: fc.constantFrom(...PHASES),
    units: lines,
    inputs: lines,
    consumes: lines,
    produces: fc.array(fc.oneof(line, fc.record({ path: line, type: line })), { maxLength: 3 }),
    non_goals: fc.array(prose, { maxLength: 2 }),
    done: lines,
    checks: lines,
    priority: fc.integer({ min: -9, max: 9 }),
    parent: line,
    note: prose,
  },
  { requiredKeys: ['title'] },
);

async function read(text: string): Promise<unknown> {
  const yaml = await parseYaml(text);
  return 'fault' in yaml ? yaml : parsePlan(yaml.value);
}

test('a plan that is written and read is the same plan', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(scope, { maxLength: 4 }), async (scopes) => {
      expect(await read(await planText(scopes as Plan['scopes']))).toEqual({ version: 1, scopes });
      expect(await read(JSON.stringify({ version: 1, scopes }))).toEqual({ version: 1, scopes });
    }),
    { numRuns: 200 },
  );
});

describe('a wrong plan is refused with place, reason and line', () => {
  test.each([
    ['no version', 'scopes: []\n', 'version', /expected one of 1, got nothing/, 1],
    ['another version', 'version: 2\nscopes: []\n', 'version', /expected one of 1, got 2/, 1],
    ['no scopes', 'version: 1\n', 'scopes', /expected a list, got nothing/, 1],
    ['an unknown key', 'version: 1\nscope: []\nscopes: []\n', '', /"scope" is no key; "scopes" is/, 1],
    ['a title that is none', 'version: 1\nscopes:\n- title: 7\n', 'scopes[0].title', /expected text, got 7/, 3],
    ['a long title', `version: 1\nscopes:\n- title: ${'x'.repeat(201)}\n`, 'scopes[0].title', /at most 200/, 3],
    ['a hidden character', 'version: 1\nscopes:\n- title: "a\\u202eb"\n', 'scopes[0].title', /invisible/, 3],
    [
      'a phase that is none',
      'version: 1\nscopes:\n- title: a\n  phase: code\n',
      'scopes[0].phase',
      /one of analyze/,
      4,
    ],
    ['a priority that is none', 'version: 1\nscopes:\n- title: a\n  priority: 1.5\n', 'scopes[0].priority', /whole/, 4],
    [
      'an empty output',
      'version: 1\nscopes:\n- title: a\n  produces:\n  - {}\n',
      'scopes[0].produces[0]',
      /a path, or/,
      5,
    ],
    ['a null', 'version: 1\nscopes:\n- title: a\n  units:\n', 'scopes[0].units', /expected a list, got null/, 4],
    ['a prototype', 'version: 1\nscopes:\n- title: a\n  __proto__: {}\n', 'scopes[0]', /"__proto__" is no key/, 3],
  ])('%s', async (_, text, place, reason, line) => {
    const yaml = await parseYaml(text);
    if ('fault' in yaml) throw new Error(yaml.reason);
    const faults = parsePlan(yaml.value);
    expect(faults).toEqual([{ place, reason: expect.stringMatching(reason) }]);
    expect(yaml.lineOf(place)).toBe(line);
  });

  const bomb = Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : `*a${n - 1}, *a${n - 1}`}]`);
  test.each([
    ['aliases without end', bomb.join('\n'), /alias/],
    ['lists in lists without end', '['.repeat(100_000), /nests deeper than 64 levels/],
    ['items in items without end', '- '.repeat(100_000), /nests deeper/],
    ['keys in keys without end', '? '.repeat(100_000), /nests deeper/],
    ['tags without end', '!a '.repeat(100_000), /more than 1000 tags/],
    ['anchors without end', '- &a x\n'.repeat(100_000), /more than 1000 tags/],
    ['keys without end', Array.from({ length: 100_000 }, (_, n) => `k${n}:\n`).join(''), /more than 1000 keys/],
    ['keys without end in one line', `{${Array.from({ length: 100_000 }, (_, n) => `k${n}`).join()}}`, /1000 keys/],
    ['two documents', 'version: 1\n---\nversion: 1\n', /multiple documents/],
    ['a key twice', 'version: 1\nversion: 1\n', /unique at line 2/],
    ['what is no YAML', 'scopes: [\n', /at line 2/],
  ])('%s', async (_, text, reason) => {
    expect(await parseYaml(text)).toEqual({ fault: 'malformed', reason: expect.stringMatching(reason) });
  });

  test.each([
    ['a list', `scopes:\n${'- a\n'.repeat(100_000)}what follows: [is not read`],
    ['a list in one line', `scopes: [${'a, '.repeat(100_000)}what follows is not read`],
  ])('%s that is longer than any plan is counted, not read', async (_, text) => {
    const reason = 'has a list of more than 10001 items';
    expect(await parseYaml(text)).toEqual({ fault: 'too_large', reason });
  });

  test('a list that is as long as a plan may be is read, with a comma at its end too', async () => {
    const yaml = await parseYaml(`[${'a, '.repeat(10_000)}]`);
    expect('fault' in yaml ? yaml : yaml.value).toHaveLength(10_000);
  });
});
