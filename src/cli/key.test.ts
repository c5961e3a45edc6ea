import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readKey } from './key.js';

const steps: string[] = [];

/** Notes what is done with the disk, in order, and does it. */
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const opened = new Map<number, string>();
  const kindOf = (path: fs.PathLike) => (real.statSync(path).isDirectory() ? 'folder' : 'file');
  return {
    ...real,
    openSync: (path: fs.PathLike, flags: fs.OpenMode, mode?: fs.Mode) => {
      const file = real.openSync(path, flags, mode);
      opened.set(file, kindOf(path));
      return file;
    },
    fsyncSync: (file: number) => {
      steps.push(`sync ${opened.get(file)} of ${real.fstatSync(file).isFile() ? real.fstatSync(file).size : 'names'}`);
      real.fsyncSync(file);
    },
    linkSync: (from: fs.PathLike, to: fs.PathLike) => {
      steps.push('link');
      real.linkSync(from, to);
    },
  };
});

beforeEach(() => {
  steps.length = 0;
});

function newFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'signalbox-key-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

test('promise 6: a new key is on the disk before it has its name, and the name before it is used', () => {
  const folder = newFolder();
  const key = readKey(folder);
  expect(key).toHaveLength(32);
  expect(steps).toEqual(['sync file of 32', 'link', 'sync folder of names']);
  expect(readKey(folder)).toEqual(key);
  expect(steps).toHaveLength(3);
  expect(fs.readdirSync(folder)).toEqual(['key']);
  expect(fs.statSync(join(folder, 'key')).mode & 0o777).toBe(0o600);
});

test('a key that is cut off is told, and not replaced', () => {
  const folder = newFolder();
  fs.writeFileSync(join(folder, 'key'), '');
  expect(() => readKey(folder)).toThrow(/cut off: remove it and start again/);
  expect(fs.statSync(join(folder, 'key')).size).toBe(0);
});
