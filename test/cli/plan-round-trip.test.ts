import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Assembled, assemble } from '../../src/cli/assemble.js';
import { planText } from '../../src/cli/commands/plan.js';
import { person } from '../../src/cli/person.js';
import { parseYaml } from '../../src/cli/yaml.js';
import { exportPlan } from '../../src/coordinator/plan.js';
import { isRefusal } from '../../src/domain/refusal.js';
import { parsePlan } from '../../src/wire/plan.js';

/** Any entries, of which each may name any others: those names that would close a circle are left out. */
const plans = fc
  .array(
    fc.record({
      consumes: fc.uniqueArray(fc.nat(11), { maxLength: 3 }),
      parent: fc.option(fc.nat(11)),
      order: fc.nat(1_000),
      priority: fc.integer({ min: -1, max: 1 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((entries) => {
    const key = (at: number) => `k${at}`;
    // Whoever waits is after what it waits for in one order, and below its parent in the opposite one.
    const after = (a: number, b: number) => (entries[a]?.order ?? 0) > (entries[b]?.order ?? Number.POSITIVE_INFINITY);
    return entries.map(({ consumes, parent, priority }, at) => ({
      key: key(at),
      title: `Step ${at}`,
      priority,
      consumes: consumes.filter((other) => after(at, other)).map(key),
      ...(parent !== null && after(parent, at) ? { parent: key(parent) } : {}),
    }));
  });

/** What people add to a plan that is under way: that the first of two scopes waits for the second. */
const amendments = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 3 });

async function workspace<T>(use: (assembled: Assembled) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-plan-'));
  mkdirSync(join(root, '.signalbox'), { mode: 0o700 });
  const assembled = got(await assemble({ from: root, log: () => undefined }));
  try {
    return await use(assembled);
  } finally {
    await assembled.coordinator.close();
    rmSync(root, { recursive: true });
  }
}

function got<T>(answer: T): Exclude<T, { readonly refused: true }> {
  if (isRefusal(answer)) throw new Error(answer.sentence);
  return answer as Exclude<T, { readonly refused: true }>;
}

async function exported({ parts }: Assembled): Promise<string> {
  return planText((await exportPlan(parts)).scopes);
}

async function imported(text: string): Promise<string> {
  const yaml = await parseYaml(text);
  const plan = 'fault' in yaml ? [] : parsePlan(yaml.value);
  if (!('scopes' in plan)) throw new Error(`not read: ${JSON.stringify(plan)}`);
  return workspace(async (assembled) => {
    got(await assembled.plane.declare(person(), plan.scopes));
    return exported(assembled);
  });
}

test('what is exported is imported as it is, whoever names whom, and after people changed it', async () => {
  await fc.assert(
    fc.asyncProperty(plans, amendments, async (scopes, more) => {
      const first = await workspace(async (assembled) => {
        const ids = got(await assembled.plane.declare(person(), scopes));
        for (const [at, other] of more) {
          const [id, consumed] = [ids[at], ids[other]];
          // A circle is refused; then the plan stays as it was.
          if (id !== undefined && consumed !== undefined)
            await assembled.plane.amend(person(), id, { consumes: [consumed] });
        }
        return exported(assembled);
      });
      expect(await imported(first)).toBe(first);
    }),
    { numRuns: 25 },
  );
});
