import { describe, expect, test } from 'vitest';
import { parseDiff } from './parse-diff.js';

const patch = (...lines: string[]): string => ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n');

describe('*** Begin Patch texts', () => {
  test.each([
    [
      'a new file',
      ['*** Add File: a.ts', '+one', '+', '+two'],
      [{ path: 'a.ts', change: { kind: 'content', text: 'one\n\ntwo\n' } }],
    ],
    ['an empty new file', ['*** Add File: a.ts'], [{ path: 'a.ts', change: { kind: 'content', text: '' } }]],
    [
      'a deletion',
      ['*** Delete File: a.ts', '', '*** Delete File: b.ts'],
      [
        { path: 'a.ts', delete: true },
        { path: 'b.ts', delete: true },
      ],
    ],
    [
      'a move',
      ['*** Update File: a.ts', '*** Move to: b.ts'],
      [{ path: 'a.ts', moveTo: 'b.ts', change: { hunks: [] } }],
    ],
    [
      'a move with a hunk',
      ['*** Update File: a.ts', '*** Move to: b.ts', '@@', '-x', '+y'],
      [{ path: 'a.ts', moveTo: 'b.ts', change: { hunks: [{ anchors: [], diffLine: 4 }] } }],
    ],
    [
      'no @@ in front of the first hunk',
      ['*** Update File: a.ts', ' x', '-y', '@@', '+z'],
      [{ change: { hunks: [{ diffLine: 3 }, { diffLine: 5 }] } }],
    ],
    [
      'anchors',
      ['*** Update File: a.ts', '@@ class A', '@@   def b():', '-x'],
      [{ change: { hunks: [{ anchors: ['class A', 'def b():'] }] } }],
    ],
    ['line numbers', ['*** Update File: a.ts', '@@ -7,2 +7,2 @@', '-x'], [{ change: { hunks: [{ anchors: [] }] } }]],
    [
      'the end of the file',
      ['*** Update File: a.ts', '@@', '-x', '*** End of File', '@@', '-y'],
      [{ change: { hunks: [{ atEnd: true }, { atEnd: false }] } }],
    ],
    [
      'blank context',
      ['*** Update File: a.ts', '@@', '-x', '', '+y', ''],
      [{ change: { hunks: [{ lines: [{ sign: '-' }, { sign: ' ', text: '' }, { sign: '+' }] }] } }],
    ],
    [
      'several files',
      ['*** Add File: a', '+x', '', '*** Update File: b', '-x', '*** Delete File: c'],
      [{ path: 'a' }, { path: 'b' }, { path: 'c', source: { diffLine: 7 } }],
    ],
  ])('%s', (_, lines, operations) => {
    expect(parseDiff(patch(...lines))).toMatchObject(operations);
    expect(parseDiff(`\n${patch(...lines)}\n \n`)).toHaveLength(operations.length);
  });

  test('CRLF in the headers is transport', () => {
    expect(parseDiff('*** Begin Patch\r\n*** Delete File: a\r\n*** End Patch\r\n')).toMatchObject([
      { path: 'a', delete: true },
    ]);
  });

  test.each([
    ['cut off', '*** Begin Patch\n*** Update File: a\n-x\n', 4, /cut off/],
    ['no file', patch(), 3, /none/],
    ['text behind it', `${patch('*** Delete File: a')}\nbye`, 5, /"bye"/],
    ['no hunk', patch('*** Update File: a'), 3, /none/],
    ['empty hunks', patch('*** Update File: a', '@@', '@@ x'), 5, /none/],
    ['context only', patch('*** Update File: a', '@@', ' x'), 3, /context lines only/],
    ['no path', patch('*** Update File: '), 2, /"\*\*\* Update File:", got nothing/],
    ['a blank path', patch('*** Add File:  \t'), 2, /"\*\*\* Add File:", got nothing/],
    ['no path to move to', patch('*** Update File: a', '*** Move to: '), 3, /"\*\*\* Move to:", got nothing/],
    ['an unknown header', patch('*** Rename File: a'), 2, /Rename/],
    ['a line without a sign', patch('*** Update File: a', '@@', '-x', 'oops'), 5, /"oops"/],
    ['a line without + in a new file', patch('*** Add File: a', '+x', ' y'), 4, /" y"/],
  ])('%s is INVALID', (_, text, diff_line, sentence) => {
    expect(parseDiff(text)).toMatchObject({
      code: 'INVALID',
      facts: { diff_line, argument: 'diff' },
      sentence: expect.stringMatching(sentence),
    });
  });
});
