import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attributed, carried } from './attribution.js';
import { lineChanges } from './line-changes.js';

const START: Attributed<number> = { lines: [], from: [] };

function fold(versions: readonly (readonly string[])[]): Attributed<number> {
  return versions.reduce<Attributed<number>>((former, lines, number) => carried(former, lines, number), START);
}

test('lines that stayed come from where they came from', () => {
  const versions = [
    ['a', 'b', 'c'],
    ['a', 'x', 'b', 'c'],
    ['x', 'b'],
    ['x', 'b', 'a'],
  ];
  expect(fold(versions).from).toEqual([1, 0, 3]);
  expect(fold([...versions, []])).toEqual(START);
});

/** An edit of a list of lines: some go, and new ones come, each with a text that was never there before. */
const edit = fc.record({ at: fc.nat(40), gone: fc.nat(4), come: fc.nat(4) });

test('every line comes from the version that wrote it', async () => {
  await fc.assert(
    fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
      let lines: string[] = [];
      const versions = edits.map(({ at, gone, come }, number) => {
        const from = at % (lines.length + 1);
        const fresh = Array.from({ length: come }, (_, line) => `${number} ${line}`);
        lines = [...lines.slice(0, from), ...fresh, ...lines.slice(from + gone)];
        return lines;
      });
      const last = fold(versions);
      expect(last.from).toEqual(lines.map((line) => Number(line.split(' ')[0])));
    }),
    { numRuns: 1_000 },
  );
});

test('of equal lines, too, each comes from a version that added one like it', async () => {
  const lines = fc.array(fc.constantFrom('{', '}', '', 'x'), { maxLength: 12 });
  await fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), (versions) => {
      const last = fold(versions);
      expect(last.from).toHaveLength(last.lines.length);
      for (const [at, line] of last.lines.entries()) {
        const number = last.from[at] ?? 0;
        const changes = lineChanges(versions[number - 1] ?? [], versions[number] ?? []) ?? [];
        const added = changes.flatMap(({ newFrom, newTo }) => versions[number]?.slice(newFrom, newTo));
        expect(added).toContain(line);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('promise 12: where texts differ too much to compare, lines are known again by their content', () => {
  const former = Array.from({ length: 5_000 }, (_, line) => `${line}`);
  const versions = [former.slice(0, 2_500), former, [...former.toReversed(), 'new']];
  expect(lineChanges(former, versions[2] ?? [])).toBeNull();
  const { lines, from } = fold(versions);
  expect(from).toEqual(lines.map((line) => (line === 'new' ? 2 : Number(line) < 2_500 ? 0 : 1)));
});
