import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bars } from './bars.js';
import { knownUnit } from './blockers.js';
import { overlaps } from './overlap.js';
import type { Ready } from './ready.js';

const text: fc.Arbitrary<string> = fc.constantFrom(
  './',
  'src/',
  'SRC/',
  'src/a/',
  'src/a/x.ts',
  'src/A/x.ts',
  'src',
  'src/**/*.ts',
  'src/*',
  'src/*/',
  'src/{a,c}/**',
  '**/x.ts',
  '**',
  'lib/[ab].ts',
  'process:build',
);
const bar = fc.record({ unit: text, by: fc.array(text, { minLength: 1, maxLength: 2 }) });

function work(units: readonly string[]): Ready {
  return { number: 1, phase: 'build', priority: 0, units };
}

test('what is passed over is barred: by what stood in the way, or as the very unit that it stood in the way of', () => {
  const pieces = fc.array(fc.array(text, { maxLength: 2 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(bar, { maxLength: 3 }), pieces, fc.boolean(), (given, lists, folds) => {
      const bars = new Bars(folds);
      const [asked, others] = [given.map(({ unit }) => unit), given.flatMap(({ by }) => by)];
      for (const { unit, by } of given)
        bars.add({ unit: knownUnit(unit, folds), by: by.map((each) => knownUnit(each, folds)) });
      const isBarred = (unit: string) =>
        asked.includes(unit) || others.some((other) => overlaps(knownUnit(other, folds), knownUnit(unit, folds)));
      for (const unit of lists.flat()) if (bars.has(unit)) expect(isBarred(unit), unit).toBe(true);
      if (bars.hasAll(lists.map(work))) expect(lists.filter((units) => !units.some(isBarred))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

test('a whole piece is passed over where its first units lie beneath folders that are barred', () => {
  const bars = new Bars(false);
  for (const folder of ['src/', 'lib/a/'])
    bars.add({ unit: knownUnit('x'), by: [knownUnit(folder), knownUnit('docs/a.md')] });
  const piece = [work(['src/a/b.ts', 'free.ts']), work(['lib/a/']), work(['src/**/*.ts'])];
  expect(bars.hasAll(piece)).toBe(true);
  for (const free of [['lib/b.ts'], ['lib/'], ['docs/a.md'], ['process:build', 'src/a.ts'], []])
    expect(bars.hasAll([...piece, work(free)]), String(free)).toBe(false);
});
