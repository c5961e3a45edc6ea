import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claim } from '../steps.testsuite.js';
import { Bells, isDead, processName } from './bell.js';
import { SqliteBench } from './bench.testsuite.js';

describe('bells', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-bells-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a ring is heard by the others', async () => {
    const [a, b] = [new Bells(folder, 'a'), new Bells(folder, 'b')];
    const heard = new Promise<void>((resolve) => b.listen(resolve));
    a.listen(() => undefined);
    a.ring();
    await heard;
    a.close();
    b.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('rings of one turn are one, and the last of them goes out at the end', async () => {
    const [a, b] = [new Bells(folder, 'a'), new Bells(folder, 'b')];
    const heard = new Promise<void>((resolve) => b.listen(resolve));
    a.ring();
    a.ring();
    a.close();
    await heard;
    b.close();
  });

  test('nobody who never listens is rung, and ringing fails for nobody', async () => {
    const a = new Bells(folder, 'a');
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
    a.ring();
    await setImmediate();
    a.listen(() => undefined);
    a.close();
    expect(existsSync(folder)).toBe(false);
  });

  test('bells of dead servers are taken down, and no others', () => {
    const own = processName();
    const dead = own.replace(/^\d+\.\d+/, '1.1');
    const recycled = own.replace(/^(\d+)\.\d+/, '$1.1');
    const elsewhere = own.replace(/^\d+\.\d+\.\w+/, '1.1.42');
    for (const name of [own, dead, recycled, elsewhere, 'console']) writeFileSync(join(folder, name), '');
    const bells = new Bells(folder, 'mine');
    bells.listen(() => undefined);
    expect(readdirSync(folder).sort()).toEqual([own, elsewhere, 'console', 'mine'].sort());
    bells.close();
    expect(isDead(own)).toBe(false);
    expect(isDead(`${own}.b0a1`)).toBe(false);
  });
});

describe('news', () => {
  let bench: SqliteBench;

  beforeEach(() => {
    bench = new SqliteBench();
  });
  afterEach(async () => {
    expect(await bench.verify()).toEqual([]);
    await bench.dispose();
  });

  test('a commit about a scope rings the bells of others', async () => {
    const store = await bench.open();
    const other = new Bells(join(bench.folder, 'bells'), 'other');
    const heard = new Promise<void>((resolve) => other.listen(resolve));
    await claim(store, 'a.ts');
    await heard;
    other.close();
  });

  test('promise 3: though every bell is lost, whoever waits finds out by looking', async () => {
    const [a, b] = [await bench.open(), await bench.open()];
    rmSync(join(bench.folder, 'bells'), { recursive: true });
    writeFileSync(join(bench.folder, 'bells'), 'no folder');
    const waits = a.changed(0, new AbortController().signal);
    await claim(b, 'a.ts');
    await waits;
    rmSync(join(bench.folder, 'bells'));
  });

  test('promise 3: an event that rings no bell is found by looking', async () => {
    const [a, b] = [await bench.open(), await bench.open()];
    const waits = a.changed(0, new AbortController().signal);
    await b.transact({ agent: 'b', connection: 'c' }, {}, () => ({
      answer: true,
      events: [{ type: 'refused', tool: 'read', code: 'OUTSIDE', sentence: 'It is outside.', facts: {} }],
    }));
    await waits;
  });

  test('a server for which nobody waits has no timer and no bell', async () => {
    const store = await bench.open();
    const timers = (): string[] => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    const giving = new AbortController();
    const waits = store.changed(0, giving.signal);
    expect(timers()).toHaveLength(before + 1);
    giving.abort();
    await waits;
    expect(timers()).toHaveLength(before);
    await store.close();
    expect(readdirSync(join(bench.folder, 'bells'))).toEqual([]);
  });
});
