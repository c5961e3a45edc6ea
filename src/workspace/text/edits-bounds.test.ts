import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { answer, swap, version } from './edits.testsuite.js';

describe('promise 12, hostile input 25: bounds', () => {
  const MB = 1024 * 1024;
  const large = 'x'.repeat(49 * MB);

  test('a result over 50 MB', () => {
    expect(answer({ a: 'ab' }, [swap('a', 'x'.repeat(50 * MB))])).toMatchObject({ code: 'LIMIT' });
    expect(answer({ a: null }, [{ path: 'a', content: 'é'.repeat(26 * MB) }])).toMatchObject({ code: 'LIMIT' });
  });

  test('results over 200 MB together', () => {
    const edits = ['a', 'b', 'c', 'd', 'e'].map((path) => ({ path, content: large }));
    const refusal = answer({ a: null, b: null, c: null, d: null, e: null }, edits);
    // Compared by its code alone: a failure would otherwise print all results.
    expect(isRefusal(refusal) && refusal.code).toBe('LIMIT');
  });

  test('too much searching', () => {
    const edits = Array.from({ length: 25 }, (_, i) => swap(`${i}:`, `${i + 1}:`));
    expect(answer({ a: `0:${large}` }, edits)).toMatchObject({ code: 'LIMIT', facts: { edit: 20 } });
    const hunks = Array.from({ length: 3 }, (_, i) => `--- a/a\n+++ b/a\n@@\n-${i}\n+${i + 1}\n`).join('');
    expect(answer({ a: `0\n${large.slice(0, 20 * MB)}` }, hunks)).toMatchObject({ code: 'LIMIT' });
  });

  test('too much merging, and texts too large for it', () => {
    const former = `1\n${'x\n'.repeat(15_000)}z`;
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
    const all = <T>(value: T): { [path: string]: T } => Object.fromEntries(names.map((path) => [path, value]));
    const edits = names.map((path) => swap('1', '2', { path, base: version(former) }));
    expect(answer(all(`${former.slice(0, -1)}y`), edits, all(former))).toMatchObject({ code: 'LIMIT' });
    const huge = `1\n${'x\n'.repeat(60_000)}z`;
    expect(
      answer({ a: `${huge.slice(0, -1)}y` }, [swap('1', '2', { base: version(huge) })], { a: huge }),
    ).toMatchObject({
      code: 'STALE_BASE',
      sentence: expect.stringContaining('too large'),
    });
  });
});
