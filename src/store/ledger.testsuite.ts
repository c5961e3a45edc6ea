import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventBody } from '../domain/event.js';
import { isRefusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import {
  ALICE,
  answerOf,
  BOB,
  changed,
  changeOf,
  claim,
  fileRecovery,
  granted,
  idOf,
  opened,
  record,
  released,
  sha,
  type Tools,
} from './steps.testsuite.js';
import type { Decision, Recovery } from './store.js';

/** The ledger. */
export function ledgerTests(tools: Tools): void {
  test('promise 8: events are numbered from 1 without gaps, and chained', async () => {
    await claim(tools.store, 'a.ts');
    await claim(tools.store, 'b.ts');
    const events = await tools.store.events({ after: 0, limit: 100 });
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(new Set(events.map(({ hash }) => hash)).size).toBe(4);
    expect(events[0]).toMatchObject({
      agent: 'alice',
      connection: 'c1',
      body: { type: 'scope.opened', scope: 'S001' },
    });
  });

  test('promise 11: what was answered is there for a store that is opened later', async () => {
    await claim(tools.store, 'a.ts');
    await tools.store.close();
    const later = await tools.bench.open();
    const seen = await later.view({}, ({ state }) => state.scopes.get('S001')?.locks.toObject());
    expect(seen).toEqual({ 'a.ts': { unit: 'a.ts', mode: 'write', generation: 1 } });
  });

  test('promise 2: each step sees what every other store has committed', async () => {
    const other = await tools.bench.open();
    for (let round = 0; round < 5; round++) {
      await claim(tools.store, `a${round}.ts`);
      await claim(other, `b${round}.ts`);
    }
    const counts = await Promise.all(
      [tools.store, other].map((one) => one.view({}, ({ state }) => [state.seq, state.scopes.size, state.locks.size])),
    );
    expect(counts).toEqual([
      [20, 10, 10],
      [20, 10, 10],
    ]);
  });

  test('promise 2: a store that is far behind catches up', async () => {
    const other = await tools.bench.open();
    await other.view({}, () => true);
    for (let round = 0; round < 3; round++) {
      await tools.store.transact(ALICE, {}, ({ state: { scopeCount } }) => {
        const ids = Array.from({ length: 500 }, (_, place) => idOf(scopeCount + place + 1));
        return { answer: true, events: ids.flatMap((id) => [opened(id), released(id)]) };
      });
    }
    expect(await claim(other, 'a.ts')).toBe('S1501');
  });

  test('promise 2: steps of one store run one after the other, in the order of the calls', async () => {
    const order: number[] = [];
    const calls = Array.from({ length: 20 }, (_, place) =>
      tools.store.transact(ALICE, {}, ({ state }) => {
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
    const outcome = await tools.store.transact(ALICE, {}, () => ({ answer: refusal, events: [] }));
    expect(outcome).toEqual({ answer: refusal, events: [] });
    expect(await tools.store.events({ after: 0, limit: 10 })).toEqual([]);
    tools.bench.pass(5_000);
    expect(await claim(tools.store, 'a.ts')).toBe('S001');
  });

  test('promise 8: a refusal that comes with an event is recorded', async () => {
    const body: EventBody = {
      type: 'refused',
      tool: 'patch',
      code: 'HELD',
      sentence: 'It is held.',
      facts: { by: 'S001' },
    };
    await tools.store.transact(ALICE, {}, () => ({ answer: refuse('HELD', 'It is held.', 'Wait.'), events: [body] }));
    expect((await tools.store.events({ after: 0, limit: 10 })).map((event) => event.body)).toEqual([body]);
  });

  test('promise 6: a step that throws leaves nothing', async () => {
    const broken = (): Decision<never> => {
      throw new Error('a bug');
    };
    await expect(tools.store.transact(ALICE, {}, broken)).rejects.toThrow('a bug');
    const impossible = tools.store.transact(ALICE, {}, () => ({
      answer: true,
      events: [opened('S001'), released('S009')],
    }));
    await expect(impossible).rejects.toThrow('scope that is not there');
    expect(await tools.store.events({ after: 0, limit: 10 })).toEqual([]);
    expect(await claim(tools.store, 'a.ts')).toBe('S001');
  });

  test('promise 6: what a failed step would have written is not written by the next one', async () => {
    const impossible = tools.store.transact(ALICE, {}, () => ({
      answer: true,
      events: [opened('S001'), released('S009')],
    }));
    await expect(impossible).rejects.toThrow('scope that is not there');
    await record(tools.store, { type: 'run.started', run: 'R001', command: 'make', cwd: '.', containment: 'none' });
    expect(await tools.store.scopes({ limit: 10 })).toEqual([]);
    expect(await claim(await tools.bench.open(), 'a.ts')).toBe('S001');
    expect(await claim(tools.store, 'b.ts')).toBe('S002');
  });

  test('promise 8: tickets, locks and consumed outputs end with what ends them', async () => {
    const { store } = tools;
    const holder = await claim(store, 'src/');
    const wants = (scope: ScopeId, generation: number): EventBody => ({
      type: 'scope.queued',
      scope,
      units: ['src/a.ts'],
      mode: 'write',
      owner: BOB,
      priority: 0,
      generation,
    });
    await record(store, opened('S002'), wants('S002', 2), opened('S003', [], [holder]), wants('S003', 3));
    await record(store, { type: 'scope.done', scope: holder, summary: 'ready', artifacts: [] });
    const early = await tools.bench.open();
    expect(await early.view({}, ({ state }) => state.scopes.get('S003')?.pending)).toEqual([]);
    await record(store, { ...granted('S002', ['src/a.ts'], 4, BOB), queued: true } as EventBody);
    await record(store, { type: 'scope.lapsed', scope: 'S003', reason: 'no call', to: 'open' });
    const other = await tools.bench.open();
    const seen = await other.view({}, ({ state }) => ({
      locks: state.locks.entries(),
      queue: state.queue.size,
      pending: state.scopes.get('S003')?.pending,
    }));
    expect(seen).toEqual({ locks: [{ scope: 'S002', unit: 'src/a.ts', mode: 'write' }], queue: 0, pending: [] });
  });

  test('promise 8: half a character or NUL in a name or a title does not break the chain', async () => {
    await tools.store.transact({ agent: 'a\ud800', connection: 'c1' }, {}, () => ({
      answer: true,
      events: [opened('S001', ['a\udc00.ts', 'b\0.ts'])],
    }));
    expect((await tools.store.events({ after: 0, limit: 1 }))[0]?.agent).toBe('a\ufffd');
  });
}

/** Effects. */
export function effectTests(tools: Tools): void {
  const change = { answer: true, events: [opened('S001'), changed('S001', 'a.txt', sha('old'), sha('new'))] };

  test('contents come back as they were, small and large', async () => {
    const large = Buffer.alloc(300 * 1024, 'x');
    const [small, empty] = [Buffer.from([0, 255, 10]), Buffer.alloc(0)];
    for (let twice = 0; twice < 2; twice++)
      await tools.store.keep([small, empty, large].map((bytes) => ({ hash: sha(bytes), bytes })));
    const other = await tools.bench.open();
    for (const bytes of [small, empty, large])
      expect(Buffer.compare((await other.content(sha(bytes))) ?? Buffer.from('?'), bytes)).toBe(0);
    expect(await other.content(sha('unknown'))).toBeUndefined();
  });

  const { files, contents } = changeOf('a.txt');
  const file = () => join(tools.bench.root, 'a.txt');
  const types = async () => (await tools.store.events({ after: 0, limit: 10 })).map(({ body }) => body.type);

  test('promise 6: an effect whose step throws is undone at once', async () => {
    writeFileSync(file(), 'old');
    const step = tools.store.transact(ALICE, { contents }, (tx) => {
      tx.mark(files);
      writeFileSync(file(), 'new');
      expect(tools.store.applying()).toEqual(['a.txt']);
      throw new Error('a bug');
    });
    await expect(step).rejects.toThrow('a bug');
    expect(readFileSync(file(), 'utf8')).toBe('old');
    expect(tools.store.applying()).toEqual([]);
    expect(await types()).toEqual(['files.outside']);
  });

  test('promise 6: an effect is seen as under way by every store, from the mark to the commit', async () => {
    const other = await tools.bench.open();
    writeFileSync(file(), 'old');
    expect(other.applying()).toEqual([]);
    await tools.store.transact(ALICE, { contents }, (tx) => {
      expect(other.applying()).toEqual([]);
      tx.mark(files);
      expect(other.applying()).toEqual(['a.txt']);
      return change;
    });
    expect(other.applying()).toEqual([]);
  });

  test('promise 6: an effect whose step records no change, or refuses, is undone', async () => {
    for (const answer of [true, refuse('HELD', 'It is held.', 'Wait.')]) {
      writeFileSync(file(), 'old');
      const step = tools.store.transact(ALICE, { contents }, (tx) => {
        tx.mark(files);
        writeFileSync(file(), 'new');
        return { answer, events: isRefusal(answer) ? change.events : [] };
      });
      await expect(step).rejects.toThrow('records no change');
      expect(readFileSync(file(), 'utf8')).toBe('old');
    }
  });

  test('promise 6: an effect that was committed stays, and is not undone by the next writer', async () => {
    writeFileSync(file(), 'old');
    const id = await answerOf<number>(
      tools.store.transact(ALICE, { contents }, (tx) => {
        const answer = tx.mark(files);
        writeFileSync(file(), 'new');
        return { ...change, answer };
      }),
    );
    expect(tools.store.applying()).toEqual([]);
    const other = await tools.bench.open();
    await record(other, opened('S002'));
    await tools.store.settle(id);
    await record(tools.store, opened('S003'));
    expect(readFileSync(file(), 'utf8')).toBe('new');
    expect(await types()).not.toContain('files.outside');
    for (const { hash, bytes } of contents) expect(await other.content(hash)).toEqual(bytes);
  });

  test('promise 6: an effect that was undone leaves nothing to undo, however often it is tried', async () => {
    const { undo, redo } = fileRecovery(tools.bench.root);
    const silent: Recovery = { undo: (...given) => undo(...given).slice(1), redo };
    const quiet = await tools.bench.open({ recovery: silent });
    writeFileSync(file(), 'old');
    for (let times = 0; times < 3; times++) {
      const step = quiet.transact(ALICE, { contents }, (tx) => {
        tx.mark(files);
        writeFileSync(file(), 'new');
        throw new Error('a bug');
      });
      await expect(step).rejects.toThrow('a bug');
      expect(readFileSync(file(), 'utf8')).toBe('old');
      expect([quiet.applying(), tools.store.applying()]).toEqual([[], []]);
    }
    writeFileSync(file(), 'new');
    await record(tools.store, opened('S001'));
    expect(readFileSync(file(), 'utf8')).toBe('new');
  });

  test('promise 6: an effect on contents that are too large for its transaction is undone as well', async () => {
    const large = ['old', 'new'].map((word) => Buffer.from(word.repeat(200_000)));
    const contents = large.map((bytes) => ({ hash: sha(bytes), bytes }));
    const [before = '', after = ''] = contents.map(({ hash }) => hash);
    const files = [{ path: 'a.txt', before, after, beforeMode: 0o644, afterMode: 0o644 }];
    writeFileSync(file(), large[0] ?? '');
    const step = tools.store.transact(ALICE, { contents }, (tx) => {
      tx.mark(files);
      writeFileSync(file(), large[1] ?? '');
      throw new Error('a bug');
    });
    await expect(step).rejects.toThrow('a bug');
    expect(sha(readFileSync(file()))).toBe(before);
  });

  test('promise 6: a step changes files once', async () => {
    writeFileSync(file(), 'old');
    const step = tools.store.transact(ALICE, { contents }, (tx) => {
      tx.mark(files);
      tx.mark(files);
      return change;
    });
    await expect(step).rejects.toThrow('once');
    expect(readFileSync(file(), 'utf8')).toBe('old');
  });

  test('promise 8: a publication is on record until it is settled', async () => {
    const commit = { ref: 'HEAD', former: null, commit: 'c' };
    await record(tools.store, opened('S001'));
    const id = await tools.store.prepare({ scope: 'S001', commit });
    expect(await tools.store.unfinished(1_000)).toEqual([]);
    tools.bench.pass(2_000);
    const other = await tools.bench.open();
    expect(await other.unfinished(1_000)).toEqual([{ id, scope: 'S001', commit }]);
    await tools.store.settle(id);
    await record(tools.store, opened('S002'));
    expect(await other.unfinished(1_000)).toEqual([]);
  });
}
