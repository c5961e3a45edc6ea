import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebase, rebaseBytes } from './rebase.js';
import { encodeText } from './text.js';

const BASE = '1\n2\n3\n4\n5\n6\n';

describe('promise 5: disjoint changes are rebased, others clash', () => {
  test.each([
    ['changes far apart', BASE.replace('2', 'two'), BASE.replace('5', 'five'), '1\ntwo\n3\n4\nfive\n6\n'],
    ['one unchanged line between', BASE.replace('2', 'two'), BASE.replace('4', 'four'), '1\ntwo\n3\nfour\n5\n6\n'],
    ['an insertion and a deletion', `0\n${BASE}`, BASE.replace('6\n', ''), '0\n1\n2\n3\n4\n5\n'],
    ['equal changes', BASE.replace('2', 'two'), BASE.replace('2', 'two'), '1\ntwo\n3\n4\n5\n6\n'],
    [
      'equal changes and another one',
      BASE.replace('2', 'two'),
      BASE.replace('2', 'two').replace('5', 'five'),
      '1\ntwo\n3\n4\nfive\n6\n',
    ],
    ['only ours', BASE.replace('2', 'two'), BASE, '1\ntwo\n3\n4\n5\n6\n'],
    ['only theirs', BASE, BASE.replace('2', 'two'), '1\ntwo\n3\n4\n5\n6\n'],
    ['a final newline taken away and a change at the top', BASE.slice(0, -1), `0\n${BASE}`, `0\n${BASE.slice(0, -1)}`],
    [
      'several of one side in one region',
      BASE.replace('2', 'b').replace('4', 'd'),
      BASE.replace('2', 'b').replace('4', 'd').replace('6', 'f'),
      '1\nb\n3\nd\n5\nf\n',
    ],
  ])('%s', (_, ours, theirs, text) => {
    expect(rebase(BASE, ours, theirs)).toEqual({ text });
  });

  test.each([
    [
      'the same line',
      BASE.replace('2', 'two'),
      BASE.replace('2', 'II'),
      { from: 2, to: 2, base: '2\n', ours: 'two\n', theirs: 'II\n' },
    ],
    [
      'touching lines',
      BASE.replace('2', 'two'),
      BASE.replace('3', 'III'),
      { from: 2, to: 3, base: '2\n3\n', ours: 'two\n3\n', theirs: '2\nIII\n' },
    ],
    [
      'insertions at one place',
      BASE.replace('3', '2a\n3'),
      BASE.replace('3', '2b\n3'),
      { from: 3, to: 2, base: '', ours: '2a\n', theirs: '2b\n' },
    ],
    [
      'a deletion and a change in it',
      '1\n6\n',
      BASE.replace('4', 'four'),
      { from: 2, to: 5, base: '2\n3\n4\n5\n', ours: '', theirs: '2\n3\nfour\n5\n' },
    ],
    [
      'a wide change and two in it',
      BASE.replaceAll(/[2345]/g, 'x'),
      BASE.replace('2', 'b').replace('5', 'e'),
      { from: 2, to: 5, base: '2\n3\n4\n5\n', ours: 'x\nx\nx\nx\n', theirs: 'b\n3\n4\ne\n' },
    ],
    [
      'the end of the last line',
      `${BASE.slice(0, -1)}`,
      `${BASE}7\n`,
      { from: 6, to: 6, base: '6\n', ours: '6', theirs: '6\n7\n' },
    ],
    [
      'line endings and a line',
      BASE.replace('2\n', '2\r\n'),
      BASE.replace('2', 'two'),
      { from: 2, to: 2, base: '2\n', ours: '2\r\n', theirs: 'two\n' },
    ],
  ])('%s', (_, ours, theirs, conflict) => {
    expect(rebase(BASE, ours, theirs)).toEqual({ reason: 'overlap', conflicts: [conflict] });
  });

  test('CRLF stays CRLF', () => {
    const base = BASE.replaceAll('\n', '\r\n');
    expect(rebase(base, base.replace('2', 'two'), base.replace('5', 'five'))).toEqual({
      text: '1\r\ntwo\r\n3\r\n4\r\nfive\r\n6\r\n',
    });
  });

  test('promise 12: texts that are too large or too different are not merged', () => {
    const tooLarge = { reason: 'too_large', conflicts: [] };
    const long = 'x'.repeat(2_000_001);
    expect(rebase('a', 'b', long)).toEqual(tooLarge);
    expect(rebase('a', 'b', '\n'.repeat(50_001))).toEqual(tooLarge);
    const shuffled = (step: number): string =>
      Array.from({ length: 20_000 }, (_, i) => `${(i * step) % 19_997}\n`).join('');
    expect(rebase(shuffled(1), shuffled(7_919), shuffled(1).replace('5\n', ''))).toEqual(tooLarge);
    expect(rebase(shuffled(1), shuffled(1).replace('5\n', ''), shuffled(7_919))).toEqual(tooLarge);
  });

  test('over bytes; a binary is not merged', () => {
    const [base, ours, theirs] = [BASE, BASE.replace('2', 'é'), BASE.replace('5', '五')].map(encodeText);
    if (base === undefined || ours === undefined || theirs === undefined) throw new Error('three texts were given');
    expect(rebaseBytes(base, ours, theirs)).toEqual({ bytes: encodeText('1\né\n3\n4\n五\n6\n') });
    expect(rebaseBytes(base, ours, encodeText('x'))).toMatchObject({ reason: 'overlap' });
    const binary = Uint8Array.of(0);
    expect([
      rebaseBytes(binary, ours, theirs),
      rebaseBytes(base, binary, theirs),
      rebaseBytes(base, ours, binary),
    ]).toEqual([null, null, null]);
  });

  const line = fc.constantFrom('a\n', 'b\n', 'c\r\n', '\n', 'd\n');
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', 'end'))
    .map(([lines, end]) => lines.join('') + end);

  test('it makes no difference whose changes are called ours', () => {
    fc.assert(
      fc.property(text, text, text, (base, ours, theirs) => {
        const one = rebase(base, ours, theirs);
        const other = rebase(base, theirs, ours);
        if ('text' in one) expect(other).toEqual(one);
        else expect(other).toMatchObject({ reason: 'overlap' });
      }),
      { numRuns: 500 },
    );
  });

  test('edits of different lines of a file without repeated lines are all kept', () => {
    const edits = fc.array(fc.constantFrom('keep', 'ours', 'theirs', 'both'), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(edits, fc.constantFrom('\n', '\r\n'), (kinds, ending) => {
        // A line that nobody changes stands between two others.
        const made = (...changed: string[]): string =>
          kinds.map((kind, i) => `${i}${changed.includes(kind) ? kind : ''}${ending}between ${i}${ending}`).join('');
        expect(rebase(made(), made('ours', 'both'), made('theirs', 'both'))).toEqual({
          text: made('ours', 'theirs', 'both'),
        });
      }),
    );
  });
});
