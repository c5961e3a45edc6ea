import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ALICE, changed, changeOf, claim, hashAt, opened, record, released, sha } from '../steps.testsuite.js';
import { StoreBroken } from '../store.js';
import { SqliteBench } from './bench.testsuite.js';
import { DATABASE } from './options.js';
import { SCHEMA } from './schema.js';

describe('a database that is not what it was', () => {
  let bench: SqliteBench;
  const path = (): string => join(bench.folder, DATABASE);

  beforeEach(() => {
    bench = new SqliteBench();
  });
  afterEach(() => bench.dispose());

  test('promise 11: a database that was removed under the server stops it', async () => {
    const store = await bench.open();
    await claim(store, 'a.ts');
    rmSync(bench.folder, { recursive: true });
    await expect(claim(store, 'b.ts')).rejects.toThrow(StoreBroken);
    await expect(store.view({}, () => true)).rejects.toThrow('was removed');
  });

  test('promise 11: a database that was replaced under the server stops it, and whoever waits', async () => {
    const store = await bench.open();
    await claim(store, 'a.ts');
    const waits = store.changed(2, new AbortController().signal);
    copyFileSync(path(), `${path()}.copy`);
    renameSync(`${path()}.copy`, path());
    await expect(claim(store, 'b.ts')).rejects.toThrow('was replaced');
    await expect(waits).rejects.toThrow(StoreBroken);
  });

  test('promise 11: a ledger that is not the one seen before is not written to', async () => {
    const store = await bench.open();
    await claim(store, 'a.ts');
    bench.tamper(`UPDATE ledger SET hash = '${sha('other')}'`);
    await expect(claim(store, 'b.ts')).rejects.toThrow(StoreBroken);
  });

  test('a newer schema is refused, and left as it is', async () => {
    await (await bench.open()).close();
    bench.tamper('PRAGMA user_version = 99');
    await expect(bench.open()).rejects.toThrow('newer Signalbox (schema 99');
    bench.tamper(`PRAGMA user_version = ${SCHEMA}`);
    await bench.open();
  });

  test('a file that is no database is refused', async () => {
    mkdirSync(bench.folder);
    writeFileSync(path(), 'this is not a database, whatever its name says'.repeat(100));
    await expect(bench.open()).rejects.toThrow(StoreBroken);
  });

  test('the folder is for this user only, invisible to git, and never a link', async () => {
    mkdirSync(bench.folder, { mode: 0o777 });
    await bench.open();
    expect(statSync(bench.folder).mode & 0o777).toBe(0o700);
    expect(hashAt(bench.root, '.signalbox/.gitignore')).toBe(sha('*\n'));
    symlinkSync(bench.folder, join(bench.root, 'link'));
    await expect(bench.open({ folder: join(bench.root, 'link') })).rejects.toThrow('is not a folder');
  });
});

describe('promise 8: verify', () => {
  let bench: SqliteBench;

  beforeEach(async () => {
    bench = new SqliteBench();
    const store = await bench.open();
    const scope = await claim(store, 'src/');
    await record(store, changed(scope, 'src/a.ts', null, sha('1')));
    await record(store, { type: 'run.started', run: 'R001', scope, command: 'make', cwd: '.', containment: 'none' });
    await record(store, { type: 'run.ended', run: 'R001', scope, ending: 'exited', exit: 0, output: 10, rejected: 0 });
    await record(store, {
      type: 'scope.progressed',
      scope,
      summary: 'half',
      artifacts: [{ id: 'A001', type: 'file', hash: sha('1') }],
    });
    const owner = { connection: 'c2', agent: 'bob' };
    await record(store, opened('S002'), {
      type: 'scope.queued',
      scope: 'S002',
      units: ['src/a.ts'],
      mode: 'write',
      owner,
      priority: 0,
      generation: 2,
    });
    await record(store, opened('S003', [], ['S001']), opened('S004'), released('S004'));
    expect(await store.verify()).toEqual([]);
  });
  afterEach(() => bench.dispose());

  test.each([
    ["UPDATE scopes SET title = 'other' WHERE number = 1", 'scopes 1: title is "other"'],
    ["UPDATE scopes SET status = 'done' WHERE number = 2", 'scopes 2: status is "done"'],
    ['DELETE FROM scopes WHERE number = 4', 'scopes 4: the row is missing'],
    ['UPDATE locks SET generation = 9', 'locks S001 src/: generation is 9'],
    ["INSERT INTO locks VALUES ('b.ts', 'S002', 'write', 5)", 'locks S002 b.ts: no event made this row'],
    ['DELETE FROM tickets', 'tickets S002: the row is missing'],
    ["UPDATE files SET hash = 'x'", 'files src/a.ts: hash is "x"'],
    ['UPDATE changes SET mode = 1', 'changes 3 src/a.ts: mode is 1'],
    ["UPDATE artifacts SET type = 'x'", 'artifacts A001: type is "x"'],
    ['UPDATE runs SET exit = 1', 'runs R001: exit is 1'],
    ['UPDATE ledger SET generation = 9', 'state: numbers'],
    ["UPDATE events SET agent = 'bob' WHERE seq = 3", 'the chain breaks at 3'],
    ["UPDATE events SET type = 'refused' WHERE seq = 3", 'the columns of 3 differ'],
    ['DELETE FROM events WHERE seq = 4', '5 comes after 3'],
    ["UPDATE ledger SET hash = 'x'", 'its hash is not that of the last event'],
  ])('names what was tampered with: %s', async (sql, difference) => {
    bench.tamper(sql);
    const found = await bench.verify();
    expect(found.join('\n')).toContain(difference);
  });
});

describe.skipIf(!canMount())('a full disk (skipped where this user may not mount a small one)', () => {
  let disk: string;
  let bench: SqliteBench;

  beforeAll(() => {
    disk = mountDisk();
  });
  afterAll(() => unmountDisk(disk));

  beforeEach(() => {
    bench = new SqliteBench(undefined, mkdtempSync(join(disk, 'store-')));
  });
  afterEach(async () => {
    expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
    await bench.dispose();
  });

  /** Fills the disk to the last byte, and gives the means to make room again. */
  function fill(): () => void {
    const ballast = join(bench.root, 'ballast');
    writeFileSync(ballast, '');
    for (let size = 1 << 20; size >= 512; size >>= 1) {
      try {
        for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // Smaller pieces fit still.
      }
    }
    return () => rmSync(ballast);
  }

  test('promise 11: nothing is granted any more, and all goes on once there is room', async () => {
    const store = await bench.open();
    await claim(store, 'a.ts');
    const empty = fill();
    const failed = await Promise.allSettled(Array.from({ length: 200 }, () => claim(store, 'b.ts')));
    const last = failed.at(-1);
    expect(last?.status === 'rejected' && last.reason).toBeInstanceOf(StoreBroken);
    const granted = failed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(await store.view({}, ({ state }) => state.scopes.size)).toBe(1 + granted.length);
    empty();
    await claim(store, 'c.ts');
  });

  test('promise 6: an effect that cannot be recorded is undone', async () => {
    const store = await bench.open();
    writeFileSync(join(bench.root, 'a.txt'), 'old');
    const { files, contents } = changeOf('a.txt');
    await store.keep(contents);
    writeFileSync(join(bench.folder, 'applying'), Buffer.alloc(4_096));
    const empty = fill();
    const long = 'x'.repeat(2_000_000);
    const step = store.transact(ALICE, { contents }, (tx) => {
      tx.mark(files);
      writeFileSync(join(bench.root, 'a.txt'), 'new');
      return { answer: true, events: [opened('S001', [long])] };
    });
    await expect(step).rejects.toThrow(StoreBroken);
    expect(hashAt(bench.root, 'a.txt')).toBe(sha('old'));
    empty();
    await record(store, opened('S001'));
    expect(hashAt(bench.root, 'a.txt')).toBe(sha('old'));
  });

  test('promise 11: an effect for whose undoing there is no room is not begun', async () => {
    const store = await bench.open();
    writeFileSync(join(bench.root, 'a.txt'), 'old');
    const { files } = changeOf('a.txt');
    const many = Array.from({ length: 2_000 }, () => files).flat();
    const empty = fill();
    const step = store.transact(ALICE, {}, (tx) => {
      tx.mark(many);
      expect.unreachable('the way back is not on the disk');
    });
    await expect(step).rejects.toThrow(StoreBroken);
    expect(store.applying()).toEqual([]);
    empty();
    await record(store, opened('S001'));
    expect((await store.events({ after: 0, limit: 10 })).map(({ body }) => body.type)).toEqual(['scope.opened']);
  });
});

/** Mounts a disk of 4 MB. */
function mountDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function unmountDisk(folder: string): void {
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
}

function canMount(): boolean {
  try {
    unmountDisk(mountDisk());
    return true;
  } catch {
    return false;
  }
}
