import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heldBack } from './hold-back.js';

const removal = (path: string, hash = path) => ({ path, hash });

describe('promise 10: a removal is held back', () => {
  test('where its bytes went to a place that is not kept', () => {
    const held = heldBack(
      [removal('src/b.ts', 'B'), removal('src/c.ts', 'C')],
      [{ path: 'other/b.ts', hash: 'B' }],
      [],
    );
    expect([...held]).toEqual([['src/b.ts', 'other/b.ts']]);
  });

  test('where something that is not kept took the place of a folder around it', () => {
    const removals = ['src', 'src2/a', 'src/a', 'src/deep/b'].map((path) => removal(path));
    expect([...heldBack(removals, [{ path: 'src' }], [])]).toEqual([
      ['src/a', 'src'],
      ['src/deep/b', 'src'],
    ]);
  });

  test('where nothing is kept of the folder that took its place', () => {
    const losses = [{ path: 'a/deep/x' }, { path: 'b/x' }];
    expect([...heldBack([removal('a'), removal('b')], losses, ['b/y', 'c'])]).toEqual([['a', 'a/deep/x']]);
  });
});

test('promise 10: what is held back was removed, and without losses nothing is', () => {
  const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const removals = fc.array(fc.record({ path, hash: fc.constantFrom('X', 'Y') }));
  const losses = fc.array(fc.record({ path, hash: fc.constantFrom('X', 'Z') }));
  fc.assert(
    fc.property(removals, losses, fc.array(path), (gone, lost, kept) => {
      const held = heldBack(gone, lost, kept);
      const paths = new Set(gone.map((each) => each.path));
      expect([...held.keys()].every((each) => paths.has(each))).toBe(true);
      // No bytes vanish: whoever lost them still has the file that they came from.
      for (const each of gone) if (lost.some(({ hash }) => hash === each.hash)) expect(held.has(each.path)).toBe(true);
      expect(heldBack(gone, [], kept).size).toBe(0);
    }),
  );
});
