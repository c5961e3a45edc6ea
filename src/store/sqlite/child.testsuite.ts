import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULTS } from '../../domain/settings.js';
import { changed, changeOf, claim, fileRecovery, idOf, opened, record, sha } from '../steps.testsuite.js';
import type { Store } from '../store.js';
import { openSqliteStore } from './open.js';

/** A server process of its own, for tests: `node child.testsuite.js <root> <role> [count]`. */
const [root = '', role = '', count = '1'] = process.argv.slice(2);

const DAY = 86_400_000;

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

/** Adds one to a number in a file, as only one at a time may do. */
async function increment(store: Store): Promise<void> {
  const path = join(root, 'counter');
  await store.transact({ agent: `pid ${process.pid}`, connection: 'c' }, {}, ({ state }) => {
    const before = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    writeFileSync(path, String(before + 1));
    return { answer: before, events: [opened(idOf(state.scopeCount + 1))] };
  });
}

/** Dies in the middle of an effect: `before` or `after` the file was changed, or `committed`: directly after the COMMIT. */
async function die(store: Store, when: string): Promise<void> {
  const { files, contents } = changeOf('a.txt');
  const events = [opened('S001'), changed('S001', 'a.txt', sha('old'), sha('new'))];
  await store.transact({ agent: 'a', connection: 'c' }, { contents }, (tx) => {
    tx.mark(files);
    if (when === 'before') process.kill(process.pid, 'SIGKILL');
    writeFileSync(join(root, 'a.txt'), 'new');
    if (when === 'after') process.kill(process.pid, 'SIGKILL');
    return { answer: true, events };
  });
  process.kill(process.pid, 'SIGKILL');
}

const roles: { readonly [role: string]: (store: Store) => Promise<void> } = {
  increment: async (store) => {
    for (let left = Number(count); left > 0; left--) await increment(store);
  },
  claim: async (store) => say(await claim(store, `${process.pid}.ts`)),
  /** Claims for ever, and says each claim when it has been answered. */
  storm: async (store) => {
    for (;;) say(await claim(store, 'a.ts'));
  },
  wait: async (store) => {
    const news = store.changed(0, new AbortController().signal);
    say('waiting');
    await news;
    say('woken');
  },
  /** Keeps the write lock until it is killed. */
  hold: async (store) => {
    await store.transact({ agent: 'a', connection: 'c' }, {}, () => {
      say('holding');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return { answer: true, events: [] };
    });
  },
  before: (store) => die(store, 'before'),
  after: (store) => die(store, 'after'),
  committed: (store) => die(store, 'committed'),
  /** Drops what is older than thirty days, ten weeks from now. */
  expire: async (store) => {
    say('expiring');
    await store.expire({ contents: 30 * DAY });
  },
  open: (store) => record(store, opened('S001')),
};

const store = await openSqliteStore({
  folder: join(root, '.signalbox'),
  settings: DEFAULTS,
  recovery: fileRecovery(root),
  wall: () => Date.now() + (role === 'expire' ? 70 * DAY : 0),
});
await roles[role]?.(store);
await store.close();
