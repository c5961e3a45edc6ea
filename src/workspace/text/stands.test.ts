import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebase } from './rebase.js';
import { stands } from './stands.js';
import { encodeText } from './text.js';

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : encodeText(text));
const standing = (before: string | null, after: string | null, present: string | null): boolean =>
  stands(bytes(before), bytes(after), bytes(present));

const OLD = '1\n2\n3\n4\n5\n';

describe('a change stands', () => {
  test.each([
    ['as it was made', OLD, '1\ntwo\n3\n4\n5\n', '1\ntwo\n3\n4\n5\n'],
    ['with another line changed', OLD, '1\ntwo\n3\n4\n5\n', '1\ntwo\n3\n4\nfive\n'],
    ['with its neighbours changed', OLD, '1\ntwo\n3\n4\n5\n', 'one\ntwo\nthree\n4\n5\n'],
    ['with its neighbours gone', OLD, '1\ntwo\n3\n4\n5\n', 'two\n4\n5\n'],
    ['with lines put between its own', OLD, '1\ntwo\nzwei\n3\n4\n5\n', '1\ntwo\nand\nzwei\n3\n4\n5\n'],
    ['with the line below a deletion changed', OLD, '1\n3\n4\n5\n', '1\nthree\n4\n5\n'],
    ['with another line where lines were deleted', OLD, '1\n4\n5\n', '1\nx\n2\n4\n5\n'],
    ['with a line behind a last one without an end', '1', '1\n2', '1\n2\n3'],
    ['in a new file with more lines', null, '1\n2\n', '0\n1\n1.5\n2\n3\n'],
    ['as a deletion', OLD, null, null],
    ['where nothing changed', OLD, OLD, 'x\n'],
    ['where there was never a file', null, null, 'x\n'],
  ])('%s', (_, before, after, present) => {
    expect(standing(before, after, present)).toBe(true);
  });

  test.each([
    ['undone', OLD, '1\ntwo\n3\n4\n5\n', OLD],
    ['undone in one of its places', OLD, '1\ntwo\n3\n4\nfive\n', '1\n2\n3\n4\nfive\n'],
    ['overwritten', OLD, '1\ntwo\n3\n4\n5\n', '1\nzwei\n3\n4\n5\n'],
    ['whose line is gone', OLD, '1\ntwo\n3\n4\n5\n', '1\n3\n4\n5\n'],
    ['whose deleted lines are back', OLD, '1\n4\n5\n', OLD],
    ['whose deleted lines are back among others', OLD, '1\n4\n5\n', '1\nx\n2\n3\ny\n5\n'],
    ['whose deleted end of the last line is back', '1\n', '1', '1\n'],
    ['of a file that is gone', OLD, '1\n', null],
    ['of a new file that is gone', null, '1\n', null],
    ['whose deleted file is back', OLD, null, OLD],
  ])('not one %s', (_, before, after, present) => {
    expect(standing(before, after, present)).toBe(false);
  });

  test('not where it cannot be told', () => {
    expect(stands(null, Uint8Array.of(0), Uint8Array.of(0, 1))).toBe(false);
    expect(standing('', 'x\n', `x\n${'y'.repeat(2_000_000)}`)).toBe(false);
    const shuffled = (step: number): string =>
      Array.from({ length: 20_000 }, (_, i) => `${(i * step) % 19_997}\n`).join('');
    expect(standing(shuffled(7_919), shuffled(3_571), `${shuffled(3_571)}x\n`)).toBe(false);
  });
});

test('what is merged into disjoint changes stands there, and not in what it was made from', () => {
  const choice = fc.constantFrom('kept', 'kept', 'kept', 'changed', 'gone', 'behind');
  const made = (choices: readonly string[], mark: string): string =>
    choices
      .map((each, at) => {
        const line = `${at}\n`;
        if (each === 'gone') return '';
        if (each === 'changed') return `${mark} ${line}`;
        return each === 'behind' ? `${line}${mark} ${line}` : line;
      })
      .join('');
  fc.assert(
    fc.property(fc.array(fc.tuple(choice, choice), { minLength: 1, maxLength: 20 }), (both) => {
      const before = both.map((_, at) => `${at}\n`).join('');
      const ours = made(
        both.map(([own]) => own),
        'own',
      );
      const theirs = made(
        both.map(([, other]) => other),
        'other',
      );
      const merged = rebase(before, ours, theirs);
      if (ours === before) return;
      expect(standing(before, ours, before)).toBe(false);
      const isApart = both.every(([own, other]) => own === 'kept' || other === 'kept');
      if ('text' in merged && isApart) expect(standing(before, ours, merged.text)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
