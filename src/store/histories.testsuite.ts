import fc from 'fast-check';
import type { EventBody } from '../domain/event.js';
import { evolve } from '../domain/evolve.js';
import { artifactId, type Contract, type Scope, type ScopeId } from '../domain/scope.js';
import { EMPTY_STATE, type State } from '../domain/state.js';
import { ALICE, BOB, idOf, sha } from './steps.testsuite.js';

type Type = EventBody['type'];
type Body<T extends Type> = Extract<EventBody, { type: T }>;
/** The fields that may be left out, each with a value: a field that is added later has to be named here. */
type Extras<T> = { readonly [K in keyof T as object extends Pick<T, K> ? K : never]-?: Exclude<T[K], undefined> };
type Needed<T> = { readonly [K in keyof T as object extends Pick<T, K> ? never : K]: T[K] };

/** What one event is made of. Numbers are taken modulo what there is to choose from. */
interface Move {
  readonly type: Type;
  readonly which: number;
  readonly other: number;
  readonly flag: boolean;
  /** Which of the fields that may be left out are there. */
  readonly extras: readonly boolean[];
}

/** What has happened so far, and who of it can be named. */
interface Past {
  readonly state: State;
  readonly move: Move;
  readonly ended: ReadonlyMap<ScopeId, Scope>;
}

const MOVE = (types: readonly Type[]): fc.Arbitrary<Move> =>
  fc.record({
    type: fc.constantFrom(...types),
    which: fc.nat(1_000),
    other: fc.nat(1_000),
    flag: fc.boolean(),
    extras: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  });

const UNITS = ['a.ts', 'src/', 'src/**/*.sql', 'process:build'];
const CONTRACT_EXTRAS: Extras<Contract> = {
  note: 'As short as it can be.',
  inputs: ['REQ-003'],
  nonGoals: ['speed'],
  done: ['it works'],
  checks: ['npm test'],
  parent: 'S001',
  cause: 'conflict a.ts',
  conflict: { between: ['S001'], paths: ['a.ts'], sides: [sha('a')] },
};

/** A body of each type that can follow; undefined where none can now. */
const MAKE: { readonly [T in Type]: (past: Past) => Body<T> | undefined } = {
  'scope.opened': (past) => ({
    type: 'scope.opened',
    scope: idOf(past.state.scopeCount + 1),
    contract: contract(past),
    by: 'alice',
    pending: pending(past),
  }),
  'scope.queued': (past) =>
    about(past, ['open', 'waiting', 'active'], (scope) => ({
      ...claimed(past, scope),
      type: 'scope.queued',
      priority: 1,
    })),
  'scope.granted': (past) =>
    about(past, ['open', 'waiting', 'active'], (scope) => {
      const queued = scope.ticket !== undefined && (scope.status === 'waiting' || past.move.flag);
      return { ...claimed(past, scope), type: 'scope.granted', queued };
    }),
  'scope.lapsed': (past) =>
    about(past, ['waiting', 'active'], ({ id, status, ticket }) => {
      if (ticket === undefined) return undefined;
      const to = status === 'active' ? status : past.move.flag ? 'open' : 'cancelled';
      return { type: 'scope.lapsed', scope: id, reason: 'no claim call', to };
    }),
  'scope.expired': (past) => owned(past, (scope) => ({ type: 'scope.expired', scope, reason: 'gone', from: 'alice' })),
  'scope.stopping': (past) =>
    owned(past, (scope) => {
      const must = {
        type: 'scope.stopping',
        scope,
        how: 'paused',
        reason: 'stop',
        from: 'alice',
        reverted: true,
      } as const;
      return withExtras<Body<'scope.stopping'>>(past, must, { by: 'ops' });
    }),
  'scope.released': (past) =>
    owned(past, (scope) => {
      const to = past.move.flag ? 'open' : 'cancelled';
      return { type: 'scope.released', scope, to, reason: 'not needed', from: 'alice' };
    }),
  'scope.paused': (past) =>
    about(past, ['open', 'waiting', 'active'], ({ id: scope }) => ({
      type: 'scope.paused',
      scope,
      reason: 'later',
      by: 'ops',
    })),
  'scope.resumed': (past) => about(past, ['paused'], ({ id: scope }) => ({ type: 'scope.resumed', scope, by: 'ops' })),
  'scope.cancelled': (past) =>
    about(past, ['open', 'paused', 'active'], ({ id: scope }) => ({
      type: 'scope.cancelled',
      scope,
      reason: 'not needed',
      by: 'ops',
    })),
  'scope.reopened': (past) => {
    const scope = pick([...past.ended.values()], past.move.which);
    if (scope === undefined) return undefined;
    return {
      type: 'scope.reopened',
      scope: scope.id,
      contract: contract(past),
      by: 'ops',
      reason: 'again',
      pending: pending(past).filter((id) => id !== scope.id),
      opened: { by: scope.openedBy, at: scope.openedAt },
      changes: scope.changes,
      published: scope.published,
      artifacts: scope.artifacts,
    };
  },
  'scope.amended': (past) =>
    about(past, ['open', 'waiting', 'active', 'paused'], ({ id }) => ({
      type: 'scope.amended',
      scope: id,
      contract: contract(past),
      pending: pending(past).filter((other) => other !== id),
      by: 'ops',
    })),
  'scope.noted': (past) =>
    about(past, ['open', 'waiting', 'active', 'paused'], ({ id: scope }) => ({
      type: 'scope.noted',
      scope,
      from: 'S001',
      text: 'look',
    })),
  'scope.told': (past) =>
    about(past, ['waiting', 'active'], ({ id: scope, notes }) => {
      const note = pick(notes, past.move.other);
      return note && { type: 'scope.told', scope, until: note.seq };
    }),
  'scope.progressed': (past) =>
    owned(past, (scope) => {
      const must = { type: 'scope.progressed', scope, summary: 'half', artifacts: artifacts(past) } as const;
      return withExtras<Body<'scope.progressed'>>(past, must, { commit: 'c0ffee', through: past.state.seq });
    }),
  'scope.done': (past) =>
    owned(past, (scope) => {
      const must = { type: 'scope.done', scope, summary: 'all', artifacts: artifacts(past) } as const;
      return withExtras<Body<'scope.done'>>(past, must, { commit: 'c0ffee' });
    }),
  'scope.failed': (past) =>
    owned(past, (scope) => {
      const to = past.move.flag ? 'open' : 'failed';
      return { type: 'scope.failed', scope, summary: 'it cannot be', artifacts: artifacts(past), to };
    }),
  'files.changed': (past) => {
    const { move, state } = past;
    if (state.scopeCount === 0) return undefined;
    const scope = idOf((move.which % state.scopeCount) + 1);
    const must = { type: 'files.changed', scope, cause: 'run', generation: 1, files: files(past) } as const;
    return withExtras<Body<'files.changed'>>(past, must, { run: pick([...state.runs.keys()], move.other) ?? 'R999' });
  },
  'files.outside': (past) =>
    withExtras<Body<'files.outside'>>(
      past,
      { type: 'files.outside', files: files(past) },
      { holder: 'S001', run: 'R001', kept: ['kept/a.ts'] },
    ),
  'run.started': (past) => {
    const run = `R${String(past.state.runCount + 1).padStart(3, '0')}`;
    const must = { type: 'run.started', run, command: 'npm test', cwd: 'src', containment: 'transactional' } as const;
    const scope = idOf((past.move.which % 3) + 1);
    return withExtras<Body<'run.started'>>(past, must, { scope, tenure: 3, turn: idOf(2) });
  },
  'run.ended': (past) => {
    const run = pick([...past.state.runs.keys()], past.move.which);
    if (run === undefined) return undefined;
    const exit = past.move.flag ? 1 : null;
    const must = { type: 'run.ended', run, ending: 'exited', exit, output: 12, rejected: 2 } as const;
    const refused = [{ path: 'b.ts', reason: 'held' }];
    const extras = {
      tree: 'beef',
      scope: 'S001',
      refused,
      rejections: sha('rejections'),
      log: sha('log'),
      diff: sha('diff'),
      cut: { at: 4, bytes: 9 },
    };
    return withExtras<Body<'run.ended'>>(past, must, extras);
  },
  refused: (past) => {
    const must = {
      type: 'refused',
      tool: 'patch',
      code: 'HELD',
      sentence: 'It is held.',
      facts: { by: 'S001' },
    } as const;
    return withExtras<Body<'refused'>>(past, must, { scope: 'S001' });
  },
};

/** All types of events. */
export const TYPES = Object.keys(MAKE).filter((type): type is Type => type in MAKE);
/** Without these nothing else can follow. */
const BEGINNINGS: readonly Type[] = ['scope.opened', 'scope.granted', 'scope.queued', 'run.started'];
/** Events of all types that can follow on one another, with and without what may be left out. */
export const HISTORIES: fc.Arbitrary<EventBody[]> = fc
  .array(fc.oneof(MOVE(TYPES), MOVE(BEGINNINGS)), { minLength: 1, maxLength: 80, size: 'max' })
  .map(history);

/** The events of these moves, as far as they can follow on one another. */
function history(moves: readonly Move[]): EventBody[] {
  const ended = new Map<ScopeId, Scope>();
  let state = EMPTY_STATE;
  return moves.flatMap((move) => {
    const body = MAKE[move.type]({ state, move, ended });
    if (body === undefined) return [];
    const before = state;
    const seq = state.seq + 1;
    state = evolve(state, { seq, at: seq, wall: 0, agent: 'alice', connection: 'c1', hash: '', body });
    for (const [id, scope] of before.scopes) if (!state.scopes.has(id)) ended.set(id, scope);
    for (const id of state.scopes.keys()) ended.delete(id);
    return [body];
  });
}

function about<T>(
  { state, move }: Past,
  statuses: readonly Scope['status'][],
  body: (scope: Scope) => T | undefined,
): T | undefined {
  const scope = pick(
    [...state.scopes.values()].filter(({ status }) => statuses.includes(status)),
    move.which,
  );
  return scope && body(scope);
}

/** About an active scope that somebody has. */
function owned<T>(past: Past, body: (scope: ScopeId) => T): T | undefined {
  return about(past, ['active'], ({ id, owner }) => (owner === undefined ? undefined : body(id)));
}

function claimed({ state, move }: Past, { id, owner, ticket }: Scope) {
  const units = ticket !== undefined && move.flag ? ticket.units : UNITS.slice(0, 1 + (move.other % UNITS.length));
  const mode = move.other % 3 === 0 ? ('read' as const) : ('write' as const);
  return {
    scope: id,
    units,
    mode,
    owner: owner ?? (move.flag ? ALICE : { ...BOB, namedBy: 'alice' }),
    generation: state.generation + 1,
  };
}

function contract(past: Past): Contract {
  const { which, flag } = past.move;
  const must: Needed<Contract> = {
    title: `Work ${which}`,
    phase: flag ? 'build' : 'test',
    units: UNITS.slice(which % UNITS.length),
    consumes: pending(past),
    produces: flag ? [{ path: 'a.ts', type: 'file' }] : [],
    priority: (which % 3) - 1,
    standing: flag,
  };
  return withExtras<Contract>(past, must, CONTRACT_EXTRAS);
}

/** Scopes that are not done. */
function pending({ state, move }: Past): ScopeId[] {
  const scope = move.flag ? undefined : pick([...state.scopes.keys()], move.other);
  return scope === undefined ? [] : [scope];
}

function artifacts(past: Past) {
  const must = { id: artifactId(past.state.artifactCount + 1), type: 'file', hash: sha('a') };
  return past.move.flag ? [withExtras<Scope['artifacts'][number]>(past, must, { path: 'a.ts', run: 'R001' })] : [];
}

function files(past: Past) {
  const after = past.move.flag ? sha('a') : null;
  return [
    withExtras<Body<'files.changed'>['files'][number]>(
      past,
      { path: 'a.ts', before: null, after },
      { mode: 0o755, was: 0o644 },
    ),
  ];
}

/** The body with some of what may be left out. */
function withExtras<T>({ move }: Past, must: Needed<T>, extras: Extras<T>): T {
  const some = Object.entries(extras).filter((_, place) => move.extras[place] ?? true);
  return { ...must, ...Object.fromEntries(some) } as T;
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % from.length];
}
