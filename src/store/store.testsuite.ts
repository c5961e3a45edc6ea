import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventBody } from '../domain/event.js';
import type { Intent, StoredIntent } from '../domain/intent.js';
import { isRefusal, refuse } from '../domain/refusal.js';
import type { Hash, ScopeId } from '../domain/scope.js';
import type { Decision, Recovery, Store } from './store.js';

/** A ledger on a real disk, and the folder whose files its intents speak of. */
export interface StoreBench {
  readonly root: string;
  /** Another server's store on the same ledger. */
  open(): Promise<Store>;
  /** Lets time pass on the machine's clock, in milliseconds. */
  pass(ms: number): void;
  /** Differences between the tables and a replay of the events. */
  verify(): Promise<string[]>;
  dispose(): Promise<void>;
}

export const ALICE = { agent: 'alice', connection: 'c1' };
export const BOB = { agent: 'bob', connection: 'c2' };

export function sha(bytes: string | Uint8Array): Hash {
  return createHash('sha256').update(bytes).digest('hex');
}

export function idOf(number: number): ScopeId {
  return `S${String(number).padStart(3, '0')}`;
}

export function opened(scope: ScopeId, units: readonly string[] = [], pending: readonly ScopeId[] = []): EventBody {
  const contract = {
    title: `Work of ${scope}`,
    phase: 'build',
    units,
    consumes: pending,
    produces: [],
    priority: 0,
    standing: false,
  } as const;
  return { type: 'scope.opened', scope, contract, by: 'alice', pending };
}

export function granted(scope: ScopeId, units: readonly string[], generation: number, owner = ALICE): EventBody {
  return { type: 'scope.granted', scope, units, mode: 'write', owner, generation, queued: false };
}

export function released(scope: ScopeId): EventBody {
  return { type: 'scope.released', scope, to: 'cancelled', reason: 'not needed', from: 'alice' };
}

export function changed(scope: ScopeId, path: string, before: Hash | null, after: Hash | null): EventBody {
  return { type: 'files.changed', scope, cause: 'patch', generation: 1, files: [{ path, before, after, mode: 0o644 }] };
}

/** Claims a unit for a new scope: the smallest useful decision. */
export function claim(store: Store, unit: string): Promise<ScopeId> {
  return answerOf(
    store.transact(ALICE, {}, ({ state }) => {
      const scope = idOf(state.scopeCount + 1);
      return { answer: scope, events: [opened(scope, [unit]), granted(scope, [unit], state.generation + 1)] };
    }),
  );
}

export async function record(store: Store, ...events: EventBody[]): Promise<void> {
  await store.transact(ALICE, {}, () => ({ answer: true, events }));
}

export async function answerOf<T>(outcome: Promise<{ readonly answer: T | unknown }>): Promise<T> {
  const { answer } = await outcome;
  if (isRefusal(answer)) throw new Error(answer.sentence);
  return answer as T;
}

/** Puts files below `root` back as intents say, and says in the ledger which it was. */
export function fileRecovery(root: string): Recovery {
  const put = (path: string, bytes: Uint8Array | undefined): void => {
    if (bytes === undefined) rmSync(join(root, path), { force: true });
    else writeFileSync(join(root, path), bytes);
  };
  const noted = (intent: StoredIntent, which: 'before' | 'after'): readonly EventBody[] => [
    {
      type: 'files.outside',
      files: intent.files.map((file) => ({ path: `recovered/${file.path}`, before: null, after: file[which] })),
    },
  ];
  return {
    undo(intent, content) {
      for (const { path, before, after } of intent.files) {
        if (hashAt(root, path) === after) put(path, before === null ? undefined : content(before));
      }
      return noted(intent, 'before');
    },
    redo(intent, content) {
      for (const { path, after } of intent.files) {
        if (after !== null && hashAt(root, path) === null) put(path, content(after));
      }
      return noted(intent, 'after');
    },
  };
}

export function hashAt(root: string, path: string): Hash | null {
  return existsSync(join(root, path)) ? sha(readFileSync(join(root, path))) : null;
}

/** The intent to turn `a.txt` from `old` into `new`, with both contents. */
export function intentFor(path: string): {
  readonly intent: Intent;
  readonly contents: { readonly hash: Hash; readonly bytes: Uint8Array }[];
} {
  const contents = ['old', 'new'].map((word) => ({ hash: sha(word), bytes: Buffer.from(word) }));
  const file = { path, before: sha('old'), after: sha('new'), beforeMode: 0o644, afterMode: 0o644 };
  return { intent: { files: [file] }, contents };
}

/** What every store must keep, whatever database is below it. */
export function storeSuite(name: string, makeBench: () => Promise<StoreBench>): void {
  describe(name, () => contract(makeBench));
}

function contract(makeBench: () => Promise<StoreBench>): void {
  let bench: StoreBench;
  let store: Store;

  beforeEach(async () => {
    bench = await makeBench();
    store = await bench.open();
  });

  afterEach(async () => {
    expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
    await bench.dispose();
  });

  describe('the ledger', () => {
    test('promise 8: events are numbered from 1 without gaps, and chained', async () => {
      await claim(store, 'a.ts');
      await claim(store, 'b.ts');
      const events = await store.events({ after: 0, limit: 100 });
      expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      expect(new Set(events.map(({ hash }) => hash)).size).toBe(4);
      expect(events[0]).toMatchObject({
        agent: 'alice',
        connection: 'c1',
        body: { type: 'scope.opened', scope: 'S001' },
      });
    });

    test('promise 11: what was answered is there for a store that is opened later', async () => {
      await claim(store, 'a.ts');
      await store.close();
      const later = await bench.open();
      const seen = await later.view({}, ({ state }) => state.scopes.get('S001')?.locks.toObject());
      expect(seen).toEqual({ 'a.ts': { unit: 'a.ts', mode: 'write', generation: 1 } });
    });

    test('promise 2: each step sees what every other store has committed', async () => {
      const other = await bench.open();
      for (let round = 0; round < 5; round++) {
        await claim(store, `a${round}.ts`);
        await claim(other, `b${round}.ts`);
      }
      const counts = await Promise.all(
        [store, other].map((one) => one.view({}, ({ state }) => [state.seq, state.scopes.size, state.locks.size])),
      );
      expect(counts).toEqual([
        [20, 10, 10],
        [20, 10, 10],
      ]);
    });

    test('promise 2: a store that is far behind catches up', async () => {
      const other = await bench.open();
      await other.view({}, () => true);
      for (let round = 0; round < 3; round++) {
        await store.transact(ALICE, {}, ({ state: { scopeCount } }) => {
          const ids = Array.from({ length: 500 }, (_, place) => idOf(scopeCount + place + 1));
          return { answer: true, events: ids.flatMap((id) => [opened(id), released(id)]) };
        });
      }
      expect(await claim(other, 'a.ts')).toBe('S1501');
    });

    test('promise 2: steps of one store run one after the other, in the order of the calls', async () => {
      const order: number[] = [];
      const calls = Array.from({ length: 20 }, (_, place) =>
        store.transact(ALICE, {}, ({ state }) => {
          order.push(place);
          return { answer: state.seq, events: [opened(idOf(state.scopeCount + 1))] };
        }),
      );
      const answers = await Promise.all(calls.map((call) => answerOf<number>(call)));
      expect(order).toEqual([...order.keys()]);
      expect(answers).toEqual(order);
    });

    test('promise 8: a decision without events and signs of life writes nothing', async () => {
      const refusal = refuse('HELD', 'It is held.', 'Wait.');
      const outcome = await store.transact(ALICE, {}, () => ({ answer: refusal, events: [] }));
      expect(outcome).toEqual({ answer: refusal, events: [] });
      expect(await store.events({ after: 0, limit: 10 })).toEqual([]);
      bench.pass(5_000);
      expect(await claim(store, 'a.ts')).toBe('S001');
    });

    test('promise 8: a refusal that comes with an event is recorded', async () => {
      const body: EventBody = {
        type: 'refused',
        tool: 'patch',
        code: 'HELD',
        sentence: 'It is held.',
        facts: { by: 'S001' },
      };
      await store.transact(ALICE, {}, () => ({ answer: refuse('HELD', 'It is held.', 'Wait.'), events: [body] }));
      expect((await store.events({ after: 0, limit: 10 })).map((event) => event.body)).toEqual([body]);
    });

    test('promise 6: a step that throws leaves nothing', async () => {
      const broken = (): Decision<never> => {
        throw new Error('a bug');
      };
      await expect(store.transact(ALICE, {}, broken)).rejects.toThrow('a bug');
      const impossible = store.transact(ALICE, {}, () => ({
        answer: true,
        events: [opened('S001'), released('S009')],
      }));
      await expect(impossible).rejects.toThrow('scope that is not there');
      expect(await store.events({ after: 0, limit: 10 })).toEqual([]);
      expect(await claim(store, 'a.ts')).toBe('S001');
    });

    test('promise 8: half a character in a name or a title does not break the chain', async () => {
      await store.transact({ agent: 'a\ud800', connection: 'c1' }, {}, () => ({
        answer: true,
        events: [opened('S001', ['a\udc00.ts'])],
      }));
      expect((await store.events({ after: 0, limit: 1 }))[0]?.agent).toBe('a\ufffd');
    });
  });

  describe('what a step may look at', () => {
    test('ended scopes are there for those who ask for them', async () => {
      const scope = await claim(store, 'a.ts');
      await record(store, {
        type: 'scope.done',
        scope,
        summary: 'ready',
        artifacts: [{ id: 'A001', type: 'file', hash: sha('x') }],
      });
      const other = await bench.open();
      const asked = await other.view({ scopes: [scope, 'S999', 'nonsense'] }, (view) => [
        view.scope(scope),
        view.scope('S999'),
      ]);
      expect(asked[0]).toMatchObject({ id: scope, status: 'done', summary: 'ready', artifacts: [{ id: 'A001' }] });
      expect(asked[1]).toBeUndefined();
      expect(await other.view({}, (view) => view.scope(scope))).toBeUndefined();
    });

    test('promise 5: file records follow changes, by scopes and from outside', async () => {
      const scope = await claim(store, 'a.ts');
      await record(store, changed(scope, 'a.ts', null, sha('1')));
      await record(store, {
        type: 'files.outside',
        files: [{ path: 'b.ts', before: null, after: sha('2'), mode: 0o755 }],
      });
      const records = await store.view({ paths: ['a.ts', 'b.ts', 'c.ts'] }, (view) =>
        ['a.ts', 'b.ts', 'c.ts'].map((path) => view.file(path)),
      );
      expect(records).toEqual([
        { path: 'a.ts', hash: sha('1'), mode: 0o644, scope, seq: 3 },
        { path: 'b.ts', hash: sha('2'), mode: 0o755, seq: 4 },
        undefined,
      ]);
      await expect(store.view({}, (view) => view.file('a.ts'))).rejects.toThrow('not among the needs');
    });

    test('promise 7: signs of life are seen by every store at once, and are not in the ledger', async () => {
      const other = await bench.open();
      const life = (key: string) => other.view({}, (view) => view.life(key));
      const touch = (touch: 'seen' | 'called' | 'ended' | 'gone') =>
        store.transact(ALICE, {}, () => ({ answer: true, events: [], life: [{ key: 'c1', touch }] }));
      await touch('seen');
      expect(await life('c1')).toEqual({ seen: 0, called: 0 });
      bench.pass(1_000);
      await touch('seen');
      expect(await life('c1')).toEqual({ seen: 1_000, called: 0 });
      bench.pass(1_000);
      await touch('ended');
      expect(await life('c1')).toEqual({ seen: 1_000, called: 0, ended: 2_000 });
      await touch('called');
      expect(await life('c1')).toEqual({ seen: 2_000, called: 2_000 });
      await touch('gone');
      expect(await life('c1')).toBeUndefined();
      expect(await store.events({ after: 0, limit: 10 })).toEqual([]);
    });

    test('promise 7: a look knows how late it is without a commit', async () => {
      await claim(store, 'a.ts');
      bench.pass(2_500);
      expect(await store.view({}, ({ now }) => now)).toBe(2_500);
      expect((await store.events({ after: 0, limit: 1 }))[0]?.at).toBe(0);
    });
  });

  describe('lists', () => {
    test('events are found by place, scope, agent and type', async () => {
      const scope = await claim(store, 'a.ts');
      await store.transact(BOB, {}, () => ({ answer: true, events: [opened('S002'), released(scope)] }));
      const seqs = async (query: object) =>
        (await store.events({ after: 0, limit: 10, ...query })).map(({ seq }) => seq);
      expect(await seqs({})).toEqual([1, 2, 3, 4]);
      expect(await seqs({ after: 2 })).toEqual([3, 4]);
      expect(await seqs({ limit: 2 })).toEqual([1, 2]);
      expect(await seqs({ scope })).toEqual([1, 2, 4]);
      expect(await seqs({ agent: 'bob' })).toEqual([3, 4]);
      expect(await seqs({ type: 'scope.opened' })).toEqual([1, 3]);
      expect(await seqs({ type: 'scope.opened', agent: 'bob' })).toEqual([3]);
      expect(await seqs({ scope, agent: 'bob', type: 'scope.opened' })).toEqual([]);
    });

    test('changes are found by scope and path', async () => {
      const scope = await claim(store, 'src/');
      await record(store, changed(scope, 'src/a.ts', null, sha('1')), changed(scope, 'src/b.ts', null, sha('2')));
      await record(store, changed(scope, 'src/a.ts', sha('1'), null), {
        type: 'files.outside',
        files: [{ path: 'src/a.ts', before: null, after: sha('3') }],
      });
      const rows = async (query: object) =>
        (await store.changes({ limit: 10, ...query })).map(({ seq, path, after }) => [seq, path, after]);
      expect(await rows({ path: 'src/a.ts' })).toEqual([
        [3, 'src/a.ts', sha('1')],
        [5, 'src/a.ts', null],
        [6, 'src/a.ts', sha('3')],
      ]);
      expect((await rows({ scope })).map(([seq]) => seq)).toEqual([3, 4, 5]);
      expect((await rows({ scope, after: 3, limit: 1 })).map(([seq]) => seq)).toEqual([4]);
    });

    test('scopes come newest first, by status and phase', async () => {
      for (const path of ['a.ts', 'b.ts', 'c.ts']) await claim(store, path);
      await record(store, released('S002'), { ...opened('S004'), type: 'scope.opened' } as EventBody);
      const ids = async (query: object) => (await store.scopes({ limit: 10, ...query })).map(({ id }) => id);
      expect(await ids({})).toEqual(['S004', 'S003', 'S002', 'S001']);
      expect(await ids({ status: 'active' })).toEqual(['S003', 'S001']);
      expect(await ids({ status: 'cancelled' })).toEqual(['S002']);
      expect(await ids({ status: 'active', phase: 'test' })).toEqual([]);
      expect(await ids({ phase: 'build', before: 4, limit: 2 })).toEqual(['S003', 'S002']);
      expect(await ids({ status: 'active', before: 3 })).toEqual(['S001']);
      expect((await store.scopes({ limit: 1, before: 4 }))[0]?.locks.has('c.ts')).toBe(true);
    });
  });

  describe('news', () => {
    test('whoever waits is woken by a commit of another store', async () => {
      const other = await bench.open();
      const waits = other.changed(0, new AbortController().signal);
      await claim(store, 'a.ts');
      await waits;
      expect(await other.view({}, ({ state }) => state.seq)).toBe(2);
    });

    test('whoever waits is woken by a commit of the same store, and not by a sign of life', async () => {
      let woken = false;
      const waits = store.changed(0, new AbortController().signal).then(() => {
        woken = true;
      });
      await store.transact(ALICE, {}, () => ({ answer: true, events: [], life: [{ key: 'c1', touch: 'seen' }] }));
      expect(woken).toBe(false);
      await claim(store, 'a.ts');
      await waits;
    });

    test('nobody waits for what has happened already, nor after giving up, nor past the end', async () => {
      await claim(store, 'a.ts');
      await store.changed(1, new AbortController().signal);
      await store.changed(2, AbortSignal.abort());
      const giving = new AbortController();
      const waits = store.changed(2, giving.signal);
      giving.abort();
      await waits;
      const last = store.changed(2, new AbortController().signal);
      await store.close();
      await last;
    });
  });

  describe('effects', () => {
    const change = { answer: true, events: [opened('S001'), changed('S001', 'a.txt', sha('old'), sha('new'))] };

    test('contents come back as they were, small and large', async () => {
      const large = Buffer.alloc(300 * 1024, 'x');
      const [small, empty] = [Buffer.from([0, 255, 10]), Buffer.alloc(0)];
      for (let twice = 0; twice < 2; twice++)
        await store.keep([small, empty, large].map((bytes) => ({ hash: sha(bytes), bytes })));
      const other = await bench.open();
      for (const bytes of [small, empty, large])
        expect(Buffer.compare((await other.content(sha(bytes))) ?? Buffer.from('?'), bytes)).toBe(0);
      expect(await other.content(sha('unknown'))).toBeUndefined();
    });

    test('promise 6: an effect whose step throws is undone at once', async () => {
      const { intent, contents } = intentFor('a.txt');
      writeFileSync(join(bench.root, 'a.txt'), 'old');
      const id = await store.prepare(intent, contents);
      const step = store.transact(ALICE, {}, (tx) => {
        tx.mark(id);
        writeFileSync(join(bench.root, 'a.txt'), 'new');
        expect(store.applying()).toBe(true);
        throw new Error('a bug');
      });
      await expect(step).rejects.toThrow('a bug');
      expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('old');
      expect(store.applying()).toBe(false);
      expect((await store.events({ after: 0, limit: 10 })).map(({ body }) => body.type)).toEqual(['files.outside']);
    });

    test('promise 6: an effect whose step records no change, or refuses, is undone', async () => {
      for (const answer of [true, refuse('HELD', 'It is held.', 'Wait.')]) {
        const { intent, contents } = intentFor('a.txt');
        writeFileSync(join(bench.root, 'a.txt'), 'old');
        const id = await store.prepare(intent, contents);
        const step = store.transact(ALICE, {}, (tx) => {
          tx.mark(id);
          writeFileSync(join(bench.root, 'a.txt'), 'new');
          return { answer, events: isRefusal(answer) ? change.events : [] };
        });
        await expect(step).rejects.toThrow('records no change');
        expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('old');
      }
    });

    test('promise 6: an effect that was committed stays, and is not undone by the next writer', async () => {
      const { intent, contents } = intentFor('a.txt');
      writeFileSync(join(bench.root, 'a.txt'), 'old');
      const id = await store.prepare(intent, contents);
      await store.transact(ALICE, {}, (tx) => {
        tx.mark(id);
        writeFileSync(join(bench.root, 'a.txt'), 'new');
        return change;
      });
      expect(store.applying()).toBe(false);
      const other = await bench.open();
      await record(other, opened('S002'));
      await store.settle(id);
      await record(store, opened('S003'));
      expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('new');
      expect((await store.events({ after: 0, limit: 10 })).map(({ body }) => body.type)).not.toContain('files.outside');
    });

    test('promise 2: an intent that is not pending cannot be marked', async () => {
      const { intent, contents } = intentFor('a.txt');
      const id = await store.prepare(intent, contents);
      await store.settle(id);
      const step = store.transact(ALICE, {}, (tx) => {
        tx.mark(id);
        return change;
      });
      await expect(step).rejects.toThrow('is not pending');
      expect(await store.events({ after: 0, limit: 10 })).toEqual([]);
    });
  });

  test('a closed store refuses every verb', async () => {
    await store.close();
    await store.close();
    await expect(claim(store, 'a.ts')).rejects.toThrow('closed');
    await expect(store.view({}, () => true)).rejects.toThrow('closed');
    await expect(store.changed(0, new AbortController().signal)).rejects.toThrow('closed');
  });
}
