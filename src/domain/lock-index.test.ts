import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { EMPTY_INDEX, type Entry, type LockIndex } from './lock-index.js';
import { overlaps } from './overlap.js';
import { isRefusal } from './refusal.js';
import { parseUnit, type Unit } from './unit.js';

// The real `overlaps`, with its calls counted.
vi.mock('./overlap.js', { spy: true });
beforeEach(() => {
  vi.mocked(overlaps).mockClear();
});

function unit(text: string, folds = false): Unit {
  const read = parseUnit(text, folds);
  if (isRefusal(read)) throw new Error(read.sentence);
  return read;
}

function entry(scope: string, text: string, mode: Entry['mode'] = 'write'): Entry {
  return { scope, unit: text, mode };
}

function indexOf(entries: readonly Entry[]): LockIndex {
  return entries.reduce((index, one) => index.with(one), EMPTY_INDEX);
}

function texts(entries: readonly Entry[]): string[] {
  return entries.map((one) => `${one.scope} ${one.unit} ${one.mode}`).sort();
}

describe('an index of units', () => {
  it('is empty at first', () => {
    expect(EMPTY_INDEX.size).toBe(0);
    expect(EMPTY_INDEX.entries()).toEqual([]);
    expect(EMPTY_INDEX.overlapping(unit('./'))).toEqual([]);
    expect(EMPTY_INDEX.overlapping(unit('a/b'))).toEqual([]);
  });

  it('replaces an entry of the same scope and unit', () => {
    const index = indexOf([entry('S1', 'a', 'read'), entry('S2', 'a', 'read'), entry('S1', 'a', 'write')]);
    expect(index.size).toBe(2);
    expect(texts(index.entries())).toEqual(['S1 a write', 'S2 a read']);
  });

  it('gives itself back where there is nothing to take away', () => {
    const index = indexOf([entry('S1', 'src/a')]);
    for (const [scope, text] of [
      ['S2', 'src/a'],
      ['S1', 'src/b'],
      ['S1', 'src/'],
      ['S1', 'src/a/b/c'],
      ['S1', 'x/y/z'],
    ] as const) {
      expect(index.without(scope, text)).toBe(index);
    }
  });

  it('keeps nothing of what was taken away', () => {
    const index = indexOf([entry('S1', 'src/a/b'), entry('S1', 'process:x')]);
    const bare = index.without('S1', 'src/a/b').without('S1', 'process:x');
    expect(bare.size).toBe(0);
    expect(bare.entries()).toEqual([]);
    expect(bare).toEqual(EMPTY_INDEX);
  });

  it('keeps processes apart from the tree', () => {
    const index = indexOf([
      entry('S1', 'process:build'),
      entry('S2', './'),
      entry('S3', 'process'),
      entry('S4', '**/*:*'),
    ]);
    expect(texts(index.overlapping(unit('process:build')))).toEqual(['S1 process:build write']);
    expect(texts(index.overlapping(unit('process:test')))).toEqual([]);
    vi.mocked(overlaps).mockClear();
    expect(texts(index.overlapping(unit('./')))).toEqual(['S2 ./ write', 'S3 process write', 'S4 **/*:* write']);
    expect(overlaps).toHaveBeenCalledTimes(3);
  });

  it('looks below a glob whose first alternative is a name on the way to the others', () => {
    const long = 'b'.repeat(255);
    const index = indexOf([entry('S1', `a/${long}`)]);
    expect(index.overlapping(unit(`a{,/${long}}`))).toHaveLength(1);
    expect(index.overlapping(unit(`{a,a/b*}`))).toHaveLength(1);
  });

  it('serves disks that fold case and disks that do not', () => {
    const index = indexOf([entry('S1', 'src/A.ts'), entry('S2', 'SRC/'), entry('S3', 'src/*.TS')]);
    expect(texts(index.overlapping(unit('src/A.ts')))).toEqual(['S1 src/A.ts write']);
    expect(index.overlapping(unit('src/a.ts'))).toEqual([]);
    expect(index.overlapping(unit('src/a.ts', true))).toHaveLength(3);
    expect(index.overlapping(unit('src/A.ts', true))).toHaveLength(3);
  });

  it('throws on what is no unit: it has passed a border before', () => {
    expect(() => EMPTY_INDEX.with(entry('S1', '../a'))).toThrow('not a unit');
    expect(() => EMPTY_INDEX.without('S1', '')).toThrow('not a unit');
  });
});

describe('promise 12, bounded: what overlaps is found without looking at all the others', () => {
  const files = Array.from({ length: 10_000 }, (_, n) => entry(`S${n % 100}`, `packages/m${n % 50}/f${n}.ts`));
  const index = indexOf(files);

  it.each([
    ['packages/m7/f57.ts', 1, 1],
    ['packages/m7/new.ts', 0, 0],
    ['elsewhere/a.ts', 0, 0],
    ['packages/m7/', 200, 200],
    ['packages/m7/f57.ts/', 1, 1],
    ['packages/m7/f5*.ts', 200, 23],
    ['process:build', 0, 0],
  ])('of 10,000 files, %s looks at %i and finds %i', (text, looked, found) => {
    expect(index.size).toBe(10_000);
    expect(index.overlapping(unit(text))).toHaveLength(found);
    expect(overlaps).toHaveBeenCalledTimes(looked);
  });
});

describe('promise 1, exclusion: the index finds exactly what overlaps', () => {
  const text = fc.oneof(
    fc.array(fc.constantFrom('a', 'b', 'A'), { minLength: 1, maxLength: 4 }).map((names) => names.join('/')),
    fc.array(fc.constantFrom('a', 'b', 'A'), { minLength: 1, maxLength: 3 }).map((names) => `${names.join('/')}/`),
    fc
      .array(fc.constantFrom('a', 'b', '*', '**', '?', '[ab]', '{a,b}', '{a/b,b}'), { minLength: 1, maxLength: 4 })
      .map((names) => names.join('/')),
    fc.constantFrom('./', 'a/[b]/a', 'a/{b}', 'process:a', 'process:b'),
  );
  const step = fc.record({
    add: fc.boolean(),
    scope: fc.constantFrom('S1', 'S2', 'S3'),
    unit: text,
    mode: fc.constantFrom<Entry['mode']>('read', 'write'),
  });

  it('in any history of with and without, and former indexes stay as they were', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (steps, asked, folds) => {
          const model = new Map<string, Entry>();
          const past: { index: LockIndex; entries: string[] }[] = [];
          let index = EMPTY_INDEX;
          for (const { add, ...one } of steps) {
            past.push({ index, entries: texts([...model.values()]) });
            if (add) model.set(`${one.scope} ${one.unit}`, one);
            else model.delete(`${one.scope} ${one.unit}`);
            index = add ? index.with(one) : index.without(one.scope, one.unit);
          }
          expect(index.size).toBe(model.size);
          expect(texts(index.entries())).toEqual(texts([...model.values()]));
          for (const query of [...asked, ...[...model.values()].map((one) => one.unit)].map((one) =>
            unit(one, folds),
          )) {
            const expected = [...model.values()].filter((one) => overlaps(query, unit(one.unit)));
            expect(texts(index.overlapping(query))).toEqual(texts(expected));
          }
          for (const { index: former, entries } of past) {
            expect(texts(former.entries())).toEqual(entries);
            expect(former.size).toBe(entries.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
