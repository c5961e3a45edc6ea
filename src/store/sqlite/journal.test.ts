import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { changeOf } from '../steps.testsuite.js';
import { StoreBroken } from '../store.js';
import { type Effect, Journal } from './journal.js';

let folder: string;
let journal: Journal;
const path = () => join(folder, 'applying');
const ofOld = () => 'old';
const ofNew = () => 'new';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-journal-'));
  journal = new Journal(folder);
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

function effect(onto = 'old', contents: Effect['contents'] = {}): Effect {
  return { onto, boot: 'boot 1', files: changeOf('a.txt').files, contents };
}

test('promise 6: an effect is unfinished as long as the ledger ends where it began, for every process', () => {
  const other = new Journal(folder);
  expect(other.unfinished(ofOld)).toBeUndefined();
  journal.write(effect());
  for (const each of [journal, other, journal, other]) expect(each.unfinished(ofOld)).toEqual(effect());
  for (const each of [journal, other]) expect(each.unfinished(ofNew)).toBeUndefined();
  other.close();
});

test('an effect that is known to be through is not asked about again', () => {
  const never = () => expect.unreachable('the ledger need not be read');
  journal.write(effect());
  journal.committed();
  expect(journal.unfinished(never)).toBeUndefined();
  const other = new Journal(folder);
  other.unfinished(ofNew);
  expect(other.unfinished(never)).toBeUndefined();
  other.write(effect('new'));
  other.close();
  expect(journal.unfinished(ofNew)).toEqual(effect('new'));
});

test('promise 6: the same effect once more is another one', () => {
  journal.write(effect());
  journal.committed();
  journal.write(effect());
  expect(journal.unfinished(ofOld)).toEqual(effect());
});

test('promise 6: an effect that was cleared is gone for every process', () => {
  journal.write(effect());
  journal.clear();
  expect(new Journal(folder).unfinished(ofOld)).toBeUndefined();
  expect(journal.unfinished(ofOld)).toBeUndefined();
});

test('promise 6: one that was cut off while it was written names nothing, wherever that was', () => {
  journal.write(effect('old', { former: 'x'.repeat(10_000) }));
  const former = readFileSync(path());
  journal.write(effect('old', { latter: 'y'.repeat(9_000) }));
  const latter = readFileSync(path());
  const step = 97;
  for (let cut = 1; cut < latter.length; cut += step) {
    // Written in order, and with the sectors behind reaching the disk first.
    for (const [first, second] of [
      [latter, former],
      [former, latter],
    ] as const) {
      const torn = Buffer.concat([first.subarray(0, cut), second.subarray(cut)]);
      writeFileSync(path(), torn);
      const found = new Journal(folder).unfinished(ofOld);
      const whole = [former, latter].some((each) => torn.subarray(0, each.length).equals(each));
      expect(found === undefined, `cut at ${cut}`).toBe(!whole);
    }
  }
});

test.each([
  ['empty', ''],
  ['a number, as earlier versions wrote', '123'],
  ['something else', 'x'.repeat(100)],
  ['a head without its body', `SBEFFECT${'\0'.repeat(8)}\x7f\xff\xff\xff${'\0'.repeat(32)}`],
])('promise 6: a file that is %s names nothing, and is written over', (_, content) => {
  writeFileSync(path(), content, 'latin1');
  expect(journal.unfinished(ofOld)).toBeUndefined();
  journal.write(effect());
  expect(new Journal(folder).unfinished(ofOld)).toEqual(effect());
});

test('promise 6: a file that was removed, replaced or cut short under the server is not written to unseen', () => {
  const others = () => new Journal(folder).unfinished(ofOld);
  for (const harm of [
    () => rmSync(path()),
    () => {
      writeFileSync(`${path()}.copy`, readFileSync(path()));
      renameSync(`${path()}.copy`, path());
    },
    () => truncateSync(path(), 60),
  ]) {
    journal.write(effect());
    harm();
    journal.write(effect('old', { more: 'than before' }));
    expect(others()).toEqual(effect('old', { more: 'than before' }));
  }
});

test('promise 9: a link in its place is not followed', () => {
  writeFileSync(join(folder, 'target'), 'precious');
  symlinkSync('target', path());
  expect(() => journal.write(effect())).toThrow(StoreBroken);
  expect(() => journal.unfinished(ofOld)).toThrow(StoreBroken);
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('precious');
});
