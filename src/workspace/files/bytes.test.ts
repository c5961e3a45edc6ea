import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashOf, hashWhole, isSame, isUnwritten, LARGE, markOf, readHashed } from './bytes.js';

const NOW = 1_800_000_000_000;
const ns = (ms: number) => BigInt(ms) * 1_000_000n;
const told = { dev: 1n, ino: 2n, size: 3n, mtimeNs: ns(NOW - 60_000), ctimeNs: ns(NOW - 60_000) };

describe('promise 8: when the word of the disk is enough', () => {
  it.each([
    ['long ago', {}, false],
    ['just now', { mtimeNs: ns(NOW - 100), ctimeNs: ns(NOW - 100) }, true],
    ['just now, with its time set back', { ctimeNs: ns(NOW - 1_999) }, true],
    ['at the edge', { ctimeNs: ns(NOW - 2_000) }, false],
    ['in the future', { mtimeNs: ns(NOW + 60_000) }, true],
  ])('a file changed %s', (_, changed, young) => {
    expect(markOf({ ...told, ...changed }, NOW).young).toBe(young);
  });

  it.each([
    ['dev', false],
    ['ino', false],
    ['size', false],
    ['mtimeNs', false],
    ['ctimeNs', true],
  ] as const)('another %s is another version; only a change of ctime leaves it unwritten', (field, unwritten) => {
    const mark = markOf(told, NOW);
    expect(isSame(mark, told)).toBe(true);
    const other = { ...told, [field]: told[field] + 1n };
    expect(isSame(mark, other)).toBe(false);
    expect(isUnwritten(mark, other)).toBe(unwritten);
  });
});

describe('promise 5: a hash is that of all bytes', () => {
  it.each([0, 5, LARGE - 1, LARGE, LARGE + 1])('of a file of %i bytes, also where it grew meanwhile', async (size) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-bytes-'));
    const bytes = Buffer.alloc(size, 'text');
    writeFileSync(join(folder, 'file'), bytes);
    const fd = openSync(join(folder, 'file'), 'r');
    for (const told of [size, Math.floor(size / 2)]) {
      expect(hashWhole(fd, told, size)).toBe(hashOf(bytes));
      expect(await readHashed(fd, told, size)).toEqual({ bytes, hash: hashOf(bytes) });
    }
    if (size > 0) expect(hashWhole(fd, 0, size - 1)).toBeUndefined();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
});
