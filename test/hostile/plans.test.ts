import { expect, test } from 'vitest';
import { serve } from '../support/agents.js';
import { program } from '../support/rest.js';
import { newWorkspace } from '../support/workspace.js';

const many = <T>(length: number, make: (at: number) => T): T[] => Array.from({ length }, (_, at) => make(at));

test('promise 12: a plan that is too large in any way is refused at once, by its field, and nothing of it is stored', async () => {
  const workspace = newWorkspace();
  const { refused, ok } = program(await serve(workspace.root));
  // Looked up, any of these units would be OUTSIDE.
  const units = many(9_000, (at) => ({ title: `T${at}`, units: many(60, (n) => `../${at}/${n}`) }));
  const consumes = many(8_000, (at) => ({ title: `T${at}`, key: `k${at}`, consumes: many(at % 40, (n) => `k${n}`) }));
  const bodies: readonly (readonly [what: string, scopes: readonly object[], detail: RegExp])[] = [
    ['10⁵ scopes', many(100_000, (at) => ({ titel: `T${at}` })), /scopes does not fit: .* got a list of 100000\./],
    ['540,000 units', units, /at most 30000 units and outputs together; this one has 540000\./],
    ['156,000 inputs', consumes, /at most 30000 others together; this one has 156000\./],
    [
      '1,001 units of one',
      [{ title: 'a' }, { title: 'b', units: many(1_001, String) }],
      /scopes\[1\]\.units .* 1001\./,
    ],
  ];
  for (const [what, scopes, detail] of bodies) {
    const { body } = await refused(422, 'LIMIT', 'declareScopes', { body: { scopes } });
    expect.soft([what, body.detail]).toEqual([what, expect.stringMatching(detail)]);
    expect.soft(body.facts.argument, what).toMatch(/^scopes/);
  }
  expect((await ok('listScopes')).body.scopes).toEqual([]);
});
