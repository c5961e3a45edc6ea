import { describe, expect, test } from 'vitest';
import { closest } from './closest.js';

const FILE = [
  'import x',
  '',
  'function one() {',
  '  const value = compute(1);',
  '  return value;',
  '}',
  '',
  'function two() {',
  '  return 2;',
  '}',
].join('\n');

describe('NO_MATCH shows the closest lines and says why', () => {
  test('line numbers copied from a listing are recognised', () => {
    for (const wanted of [
      '     3\tfunction one() {\n     4\t  const value',
      '3→function one() {',
      '3: function one() {\n\n5:',
      ' 3 | function one() {',
    ]) {
      expect(closest(FILE, wanted, '')).toMatchObject({ cause: 'line_numbers' });
    }
    expect(closest(FILE, '     3\tfunction one() {\n     4\t  const v', '').closest).toEqual({
      from: 2,
      to: 5,
      text: '\nfunction one() {\n  const value = compute(1);\n  return value;',
    });
    expect(closest(FILE, '3: function one() {\nnumberless', '')).not.toHaveProperty('cause');
  });

  test('white space', () => {
    expect(closest(FILE, '    const value = compute(1);\n\treturn value;', '')).toEqual({
      cause: 'white_space',
      closest: { from: 3, to: 6, text: 'function one() {\n  const value = compute(1);\n  return value;\n}' },
    });
    expect(closest(FILE, 'value = compute(1);\nreturn value;', '')).toMatchObject({ cause: 'white_space' });
    expect(closest(FILE, 'const value = compute(1);\nreturn', '')).toMatchObject({ cause: 'white_space' });
  });

  test('line endings', () => {
    expect(closest('a\r\nb\nc', 'a\nb', '')).toMatchObject({ cause: 'line_endings' });
    expect(closest('a\nb', 'a\r\nb', '')).toMatchObject({ cause: 'line_endings', closest: { text: 'a\nb' } });
  });

  test('a change that is made already', () => {
    expect(closest(FILE, 'import y', 'function two() {')).toMatchObject({ cause: 'already_made' });
    expect(closest(FILE, 'import y', 'import x')).not.toHaveProperty('cause');
  });

  test('the line that shares most words, where no line is equal', () => {
    expect(closest(FILE, 'const value = compute(2, other);', '')).toEqual({
      closest: { from: 3, to: 5, text: 'function one() {\n  const value = compute(1);\n  return value;' },
    });
    expect(closest(FILE, '{\nconst value = compute(2, other);', '').closest).toMatchObject({ from: 2 });
  });

  test('nothing where nothing is like it', () => {
    expect(closest(FILE, 'entirely different words', '')).toEqual({});
    expect(closest('', 'x', '')).toEqual({});
    expect(closest(FILE, '\n \n\n\n', '')).toEqual({});
  });

  test('at the ends of the file, and at most ten lines, each cut', () => {
    expect(closest('a b c\nd', 'x\ny\na b c', '').closest).toEqual({ from: 1, to: 2, text: 'a b c\nd' });
    expect(closest('d\na b c', 'a b c\nx\ny', '').closest).toEqual({ from: 1, to: 2, text: 'd\na b c' });
    const long = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    expect(closest(long.join('\n'), [...long.slice(5), 'x'].join('\n'), '').closest).toMatchObject({ from: 5, to: 14 });
    expect(
      closest(`${'word '.repeat(200)}\n`, `${'word '.repeat(200)}x`, '').closest?.text.split('\n')[0],
    ).toHaveLength(401);
  });

  test('promise 12: a long file or text is not searched', () => {
    const long = 'a\n'.repeat(2_500_001);
    expect([closest(long, 'b', ''), closest('b', long, '')]).toEqual([{}, {}]);
    const braces = '}\n'.repeat(50_000);
    expect(closest(braces, `${'}\n'.repeat(40)}x`, '').closest).toMatchObject({ from: 1 });
  });
});
