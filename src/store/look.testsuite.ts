import { expect, test } from 'vitest';
import type { EventBody } from '../domain/event.js';
import { scopeKey, ticketKey } from '../domain/leases.js';
import { ALICE, BOB, changed, claim, opened, record, released, sha, type Tools } from './steps.testsuite.js';

/** What a step may look at. */
export function lookTests(tools: Tools): void {
  test('ended scopes are there for those who ask for them', async () => {
    const scope = await claim(tools.store, 'a.ts');
    await record(tools.store, {
      type: 'scope.done',
      scope,
      summary: 'ready',
      artifacts: [{ id: 'A001', type: 'file', hash: sha('x') }],
    });
    const other = await tools.bench.open();
    const asked = await other.view({ scopes: [scope, 'S999', 'nonsense'] }, (view) => [
      view.scope(scope),
      view.scope('S999'),
    ]);
    expect(asked[0]).toMatchObject({ id: scope, status: 'done', summary: 'ready', artifacts: [{ id: 'A001' }] });
    expect(asked[1]).toBeUndefined();
    expect(await other.view({}, (view) => view.scope(scope))).toBeUndefined();
  });

  test('promise 5: file records follow changes, by scopes and from outside', async () => {
    const scope = await claim(tools.store, 'a.ts');
    await record(tools.store, changed(scope, 'a.ts', null, sha('1')));
    await record(tools.store, {
      type: 'files.outside',
      files: [{ path: 'b.ts', before: null, after: sha('2'), mode: 0o755 }],
    });
    const records = await tools.store.view({ paths: ['a.ts', 'b.ts', 'c.ts'] }, (view) =>
      ['a.ts', 'b.ts', 'c.ts'].map((path) => view.file(path)),
    );
    expect(records).toEqual([
      { path: 'a.ts', hash: sha('1'), mode: 0o644, scope, seq: 3 },
      { path: 'b.ts', hash: sha('2'), mode: 0o755, seq: 4 },
      undefined,
    ]);
    await expect(tools.store.view({}, (view) => view.file('a.ts'))).rejects.toThrow('not among the needs');
  });

  test('promise 7: signs of life are seen by every store at once, and are not in the ledger', async () => {
    const other = await tools.bench.open();
    const life = (key: string) => other.view({}, (view) => view.life(key));
    const touch = (touch: 'seen' | 'called' | 'ended' | 'gone') =>
      tools.store.transact(ALICE, {}, () => ({ answer: true, events: [], life: [{ key: 'c1', touch }] }));
    await touch('seen');
    expect(await life('c1')).toEqual({ seen: 0, called: 0 });
    tools.bench.pass(1_000);
    await touch('seen');
    expect(await life('c1')).toEqual({ seen: 1_000, called: 0 });
    tools.bench.pass(1_000);
    await touch('ended');
    expect(await life('c1')).toEqual({ seen: 1_000, called: 0, ended: 2_000 });
    await touch('called');
    expect(await life('c1')).toEqual({ seen: 2_000, called: 2_000 });
    await touch('ended');
    await touch('seen');
    expect(await life('c1')).toEqual({ seen: 2_000, called: 2_000 });
    await touch('gone');
    expect(await life('c1')).toBeUndefined();
    expect(await tools.store.events({ after: 0, limit: 10 })).toEqual([]);
  });

  test('promise 12: signs of life are forgotten after an hour, unless they are of an owner or of a live scope', async () => {
    const ended = await claim(tools.store, 'a.ts');
    await record(tools.store, released(ended));
    const scope = await claim(tools.store, 'b.ts');
    const keys = ['c1', 'c2', ...[scope, ended].flatMap((id) => [scopeKey(id), ticketKey(id)])];
    const touch = (...touched: string[]) => {
      const life = touched.map((key) => ({ key, touch: 'seen' as const }));
      return tools.store.transact(ALICE, {}, () => ({ answer: true, events: [], life }));
    };
    await touch(...keys);
    for (let quarter = 0; quarter < 240; quarter++) {
      tools.bench.pass(15_000);
      await touch('c3');
    }
    const known = () => tools.store.view({}, (view) => [...keys, 'c3'].filter((key) => view.life(key) !== undefined));
    expect(await known()).toEqual([...keys, 'c3']);
    tools.bench.pass(1);
    await record(await tools.bench.open(), opened('S003'));
    expect(await known()).toEqual(['c1', scopeKey(scope), ticketKey(scope), 'c3']);
  });

  test('promise 7: a look knows how late it is without a commit', async () => {
    await claim(tools.store, 'a.ts');
    tools.bench.pass(2_500);
    expect(await tools.store.view({}, ({ now }) => now)).toBe(2_500);
    expect((await tools.store.events({ after: 0, limit: 1 }))[0]?.at).toBe(0);
  });
}

/** Lists. */
export function listTests(tools: Tools): void {
  test('events are found by place, scope, agent and type', async () => {
    const scope = await claim(tools.store, 'a.ts');
    await tools.store.transact(BOB, {}, () => ({ answer: true, events: [opened('S002'), released(scope)] }));
    const seqs = async (query: object) =>
      (await tools.store.events({ after: 0, limit: 10, ...query })).map(({ seq }) => seq);
    expect(await seqs({})).toEqual([1, 2, 3, 4]);
    expect(await seqs({ after: 2 })).toEqual([3, 4]);
    expect(await seqs({ limit: 2 })).toEqual([1, 2]);
    expect(await seqs({ after: 1, until: 3 })).toEqual([2, 3]);
    expect(await seqs({ agent: 'bob', until: 3 })).toEqual([3]);
    expect(await seqs({ phase: 'build', until: 2 })).toEqual([1, 2]);
    expect(await seqs({ phase: 'test' })).toEqual([]);
    expect(await seqs({ newest: true, limit: 2 })).toEqual([4, 3]);
    expect(await seqs({ newest: true, scope, limit: 1 })).toEqual([4]);
    expect(await seqs({ scope })).toEqual([1, 2, 4]);
    expect(await seqs({ agent: 'bob' })).toEqual([3, 4]);
    expect(await seqs({ type: 'scope.opened' })).toEqual([1, 3]);
    expect(await seqs({ type: 'scope.opened', agent: 'bob' })).toEqual([3]);
    expect(await seqs({ scope, agent: 'bob', type: 'scope.opened' })).toEqual([]);
  });

  test('changes are found by scope and path', async () => {
    const scope = await claim(tools.store, 'src/');
    await record(tools.store, changed(scope, 'src/a.ts', null, sha('1')), changed(scope, 'src/b.ts', null, sha('2')));
    await record(tools.store, changed(scope, 'src/a.ts', sha('1'), null), {
      type: 'files.outside',
      files: [{ path: 'src/a.ts', before: null, after: sha('3') }],
    });
    const rows = async (query: object) =>
      (await tools.store.changes({ limit: 10, ...query })).map(({ seq, path, after }) => [seq, path, after]);
    expect(await rows({ path: 'src/a.ts' })).toEqual([
      [3, 'src/a.ts', sha('1')],
      [5, 'src/a.ts', null],
      [6, 'src/a.ts', sha('3')],
    ]);
    expect((await rows({ scope })).map(([seq]) => seq)).toEqual([3, 4, 5]);
    expect((await rows({ scope, after: 3, limit: 1 })).map(([seq]) => seq)).toEqual([4]);
  });

  test('scopes come newest first, by status and phase', async () => {
    for (const path of ['a.ts', 'b.ts', 'c.ts']) await claim(tools.store, path);
    await record(tools.store, released('S002'), { ...opened('S004'), type: 'scope.opened' } as EventBody);
    const ids = async (query: object) => (await tools.store.scopes({ limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['S004', 'S003', 'S002', 'S001']);
    expect(await ids({ status: 'active' })).toEqual(['S003', 'S001']);
    expect(await ids({ status: 'cancelled' })).toEqual(['S002']);
    expect(await ids({ status: 'active', phase: 'test' })).toEqual([]);
    expect(await ids({ phase: 'build', before: 4, limit: 2 })).toEqual(['S003', 'S002']);
    expect(await ids({ status: 'active', before: 3 })).toEqual(['S001']);
    expect((await tools.store.scopes({ limit: 1, before: 4 }))[0]?.locks.has('c.ts')).toBe(true);
  });
}

/** Lineage. */
export function lineageTests(tools: Tools): void {
  test('artifacts are found by scope, path, type and hash, with who made them and what superseded them', async () => {
    const [first, second] = [await claim(tools.store, 'a.ts'), await claim(tools.store, 'b.ts')];
    const file = (id: string, hash: string, path = 'a.ts') => ({ id, type: 'file', path, hash: sha(hash) });
    const log = { id: 'A003', type: 'log', hash: sha('log'), run: 'R001' };
    const half = [file('A001', '1'), file('A002', 'b', 'b.ts')];
    await record(tools.store, { type: 'scope.progressed', scope: first, summary: 'half', artifacts: half });
    await tools.store.transact(BOB, {}, () => {
      const artifacts = [log, file('A004', '2'), file('A1000', '3')];
      return { answer: true, events: [{ type: 'scope.done', scope: second, summary: 'all', artifacts, commit: 'c0' }] };
    });
    const ids = async (query: object) => (await tools.store.artifacts({ limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['A001', 'A002', 'A003', 'A004', 'A1000']);
    expect(await ids({ after: 2, limit: 2 })).toEqual(['A003', 'A004']);
    expect(await ids({ scope: first })).toEqual(['A001', 'A002']);
    expect(await ids({ path: 'a.ts', type: 'file' })).toEqual(['A001', 'A004', 'A1000']);
    expect(await ids({ path: 'a.ts', limit: 2, newest: true })).toEqual(['A1000', 'A004']);
    expect(await ids({ hash: sha('b') })).toEqual(['A002']);
    expect(await ids({ type: 'log' })).toEqual(['A003']);
    const made = { scope: second, agent: 'bob', commit: 'c0', seq: 6 };
    expect(await tools.store.artifacts({ limit: 10 })).toEqual([
      { ...file('A001', '1'), scope: first, agent: 'alice', seq: 5, supersededBy: 'A004' },
      { ...file('A002', 'b', 'b.ts'), scope: first, agent: 'alice', seq: 5 },
      { ...log, ...made },
      { ...file('A004', '2'), ...made, supersededBy: 'A1000' },
      { ...file('A1000', '3'), ...made },
    ]);
  });

  test('scopes are found by what they were opened for and by what they consume, live or ended', async () => {
    const for1 = (scope: string, pending: string[] = []): EventBody => {
      const event = opened(scope, [], pending);
      return event.type === 'scope.opened' ? { ...event, contract: { ...event.contract, cause: 'for:1' } } : event;
    };
    await record(tools.store, opened('S001'), opened('S0010'), for1('S002', ['S001']), for1('S003', ['S0010']));
    await record(tools.store, opened('S004', [], ['S001']), released('S002'));
    const ids = async (query: object) => (await tools.store.scopes({ limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({ cause: 'for:1' })).toEqual(['S003', 'S002']);
    expect(await ids({ cause: 'for:' })).toEqual([]);
    expect(await ids({ cause: 'for:1', status: 'open' })).toEqual(['S003']);
    expect(await ids({ consumes: 'S001' })).toEqual(['S004', 'S002']);
    expect(await ids({ consumes: 'S001', status: 'open' })).toEqual(['S004']);
    expect(await ids({ consumes: 'S001', status: 'cancelled' })).toEqual(['S002']);
  });

  test('scopes are found by their parent, live or ended', async () => {
    const child = (scope: string): EventBody => {
      const event = opened(scope);
      return event.type === 'scope.opened' ? { ...event, contract: { ...event.contract, parent: 'S001' } } : event;
    };
    await record(tools.store, opened('S001'), child('S002'), opened('S003'), child('S004'), released('S002'));
    const ids = async (query: object) =>
      (await tools.store.scopes({ limit: 10, parent: 'S001', ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['S004', 'S002']);
    expect(await ids({ status: 'open' })).toEqual(['S004']);
    expect(await ids({ status: 'cancelled' })).toEqual(['S002']);
  });
}

/** News. */
export function newsTests(tools: Tools): void {
  test('whoever waits is woken by a commit of another store', async () => {
    const other = await tools.bench.open();
    const waits = other.changed(0, new AbortController().signal);
    await claim(tools.store, 'a.ts');
    await waits;
    expect(await other.view({}, ({ state }) => state.seq)).toBe(2);
  });

  test('whoever waits is woken by a commit of the same tools.store, and not by a sign of life', async () => {
    let woken = false;
    const waits = tools.store.changed(0, new AbortController().signal).then(() => {
      woken = true;
    });
    await tools.store.transact(ALICE, {}, () => ({ answer: true, events: [], life: [{ key: 'c1', touch: 'seen' }] }));
    expect(woken).toBe(false);
    await claim(tools.store, 'a.ts');
    await waits;
  });

  test('nobody waits for what has happened already, nor after giving up, nor past the end', async () => {
    await claim(tools.store, 'a.ts');
    await tools.store.changed(1, new AbortController().signal);
    await tools.store.changed(2, AbortSignal.abort());
    const giving = new AbortController();
    const waits = tools.store.changed(2, giving.signal);
    giving.abort();
    await waits;
    const last = tools.store.changed(2, new AbortController().signal);
    await tools.store.close();
    await last;
  });
}
