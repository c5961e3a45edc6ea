import type { Event, EventBody, FileChange } from '../../domain/event.js';
import { evolveScope } from '../../domain/evolve-scope.js';
import { artifactNumber, type Scope, type ScopeId } from '../../domain/scope.js';
import type { State } from '../../domain/state.js';
import type { Driver, Statement } from './driver.js';
import { FIXED_COLUMNS, fixedValues, MOVING_COLUMNS, numberOf, WORKING_COLUMNS, workingValues } from './scope-rows.js';

const NEW_FILE_MODE = 0o644;

type Publication = Pick<Extract<EventBody, { type: 'scope.done' }>, 'scope' | 'artifacts' | 'commit'>;

/** Writes the tables that follow from an event. A rebuild from the ledger runs through here too. */
export class Projector {
  readonly #statements: { readonly [name in keyof typeof SQL]: Statement };

  /** Scopes whose rows are to be written: as they stood before the transaction, and as they stand now. */
  readonly #touched = new Map<ScopeId, { readonly former: Scope | undefined; readonly scope: Scope }>();

  constructor(driver: Driver) {
    const prepare = (name: keyof typeof SQL): Statement => driver.prepare(SQL[name]);
    this.#statements = {
      opened: prepare('opened'),
      moved: prepare('moved'),
      worked: prepare('worked'),
      lock: prepare('lock'),
      unlock: prepare('unlock'),
      ticket: prepare('ticket'),
      noTicket: prepare('noTicket'),
      file: prepare('file'),
      change: prepare('change'),
      artifact: prepare('artifact'),
      runStarted: prepare('runStarted'),
      runChanged: prepare('runChanged'),
      runEnded: prepare('runEnded'),
    };
  }

  /** A transaction begins: what a former one that failed had in hand is forgotten. */
  begin(): void {
    this.#touched.clear();
  }

  /** Writes the rows of live scopes as they stand in a state. */
  restore({ scopes }: State): void {
    for (const scope of scopes.values()) {
      this.#touched.set(scope.id, { former: undefined, scope });
      for (const { unit, mode, generation } of scope.locks.values())
        this.#statements.lock.run(unit, scope.id, mode, generation);
    }
    this.flush();
  }

  /** `before` and `after` are the states around the event. The rows of scopes wait for `flush`. */
  write(event: Event, before: State, after: State): void {
    for (const id of concerned(event, before)) this.#scope(id, event, before, after);
    const body = event.body;
    if (body.type === 'files.changed') this.#files(event.seq, body.scope, body.files);
    if (body.type === 'files.changed' && body.run !== undefined) this.#statements.runChanged.run(event.seq, body.run);
    if (body.type === 'files.outside') this.#files(event.seq, null, body.files);
    if (body.type === 'run.started') this.#started(event, body);
    if (body.type === 'run.ended') this.#ended(event.seq, body);
    if ('artifacts' in body && body.type !== 'scope.reopened') this.#artifacts(event, body);
  }

  /** Writes each scope once, however many events of the transaction were about it. */
  flush(): void {
    for (const [id, { former, scope }] of this.#touched) {
      if (former?.contract !== scope.contract)
        this.#statements.opened.run(...fixedValues(scope), scope.status, ...workingValues(scope));
      else if (scope.status === former.status)
        this.#statements.worked.run(...workingValues(scope), numberOf(id) ?? null);
      else this.#statements.moved.run(scope.status, ...workingValues(scope), numberOf(id) ?? null);
      if (scope.ticket === former?.ticket) continue;
      if (scope.ticket === undefined) {
        this.#statements.noTicket.run(id);
        continue;
      }
      const { units, mode, arrival, since, priority } = scope.ticket;
      this.#statements.ticket.run(id, JSON.stringify(units), mode, arrival, since, priority);
    }
    this.#touched.clear();
  }

  #scope(id: ScopeId, event: Event, before: State, after: State): void {
    const former = before.scopes.get(id);
    // An ended scope is in no state: its last row is the fold of its own last event.
    const scope = after.scopes.get(id) ?? evolveScope(former, event);
    if (scope === former) return;
    const first = this.#touched.get(id);
    this.#touched.set(id, { former: first === undefined ? former : first.former, scope });
    this.#locks(scope, former, event);
  }

  #locks(scope: Scope, former: Scope | undefined, { body }: Event): void {
    if (scope.locks === former?.locks) return;
    if (scope.locks.isEmpty()) {
      if (former !== undefined && !former.locks.isEmpty()) this.#statements.unlock.run(scope.id);
      return;
    }
    // Locks come unit by unit, with a grant, and go all at once.
    for (const unit of body.type === 'scope.granted' ? body.units : []) {
      const lock = scope.locks.get(unit);
      if (lock !== undefined) this.#statements.lock.run(lock.unit, scope.id, lock.mode, lock.generation);
    }
  }

  #files(seq: number, scope: ScopeId | null, files: readonly FileChange[]): void {
    for (const { path, before, after, mode = null } of files) {
      this.#statements.file.run(path, after, mode ?? NEW_FILE_MODE, scope, seq, mode);
      this.#statements.change.run(seq, path, scope, before, after, mode);
    }
  }

  #started({ seq, agent, connection }: Event, body: Extract<EventBody, { type: 'run.started' }>): void {
    const { run, scope = null, command, cwd, containment, tenure = null, turn = null } = body;
    this.#statements.runStarted.run(run, scope, agent, connection, command, cwd, containment, tenure, turn, seq);
  }

  #ended(seq: number, body: Extract<EventBody, { type: 'run.ended' }>): void {
    const { run, ending, exit, output, rejected, log = null, diff = null, cut, tree = null } = body;
    const left = cut === undefined ? null : JSON.stringify(cut);
    this.#statements.runEnded.run(seq, ending, exit, output, rejected, log, left, diff, tree, run);
  }

  #artifacts({ seq, agent }: Event, { scope, artifacts, ...body }: Publication): void {
    const commit = body.commit ?? null;
    for (const { id, type, path = null, hash, run = null } of artifacts) {
      this.#statements.artifact.run(artifactNumber(id) ?? null, id, scope, type, path, hash, run, agent, commit, seq);
    }
  }
}

/** The scopes whose rows the event may change: its own, and those that wait for its outputs. */
function concerned({ body }: Event, before: State): readonly ScopeId[] {
  if (body.type === 'files.changed') return before.scopes.has(body.scope) ? [body.scope] : [];
  if (!body.type.startsWith('scope.') || !('scope' in body) || body.scope === undefined) return [];
  return body.type === 'scope.done' ? [body.scope, ...(before.consumers.get(body.scope) ?? [])] : [body.scope];
}

const SQL = {
  opened: `INSERT OR REPLACE INTO scopes (${[...FIXED_COLUMNS, ...MOVING_COLUMNS].join(', ')})
    VALUES (${[...FIXED_COLUMNS, ...MOVING_COLUMNS].map(() => '?').join(', ')})`,
  moved: `UPDATE scopes SET ${MOVING_COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE number = ?`,
  // An index entry is written anew wherever its column is named, be it the same.
  worked: `UPDATE scopes SET ${WORKING_COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE number = ?`,
  lock: 'INSERT OR REPLACE INTO locks (unit, scope, mode, generation) VALUES (?, ?, ?, ?)',
  unlock: 'DELETE FROM locks WHERE scope = ?',
  ticket: 'INSERT OR REPLACE INTO tickets (scope, units, mode, arrival, since, priority) VALUES (?, ?, ?, ?, ?, ?)',
  noTicket: 'DELETE FROM tickets WHERE scope = ?',
  file: `INSERT INTO files (path, hash, mode, scope, seq) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, mode = coalesce(?, mode), scope = excluded.scope, seq = excluded.seq`,
  change: 'INSERT OR REPLACE INTO changes (seq, path, scope, before, after, mode) VALUES (?, ?, ?, ?, ?, ?)',
  artifact: `INSERT OR REPLACE INTO artifacts (number, id, scope, type, path, hash, run, agent, commit_id, seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  runStarted: `INSERT OR REPLACE INTO runs (run, scope, agent, connection, command, cwd, containment, tenure, turn, started)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  runChanged: 'UPDATE runs SET changed = ? WHERE run = ?',
  runEnded: `UPDATE runs SET ended = ?, ending = ?, exit = ?, output = ?, rejected = ?, log = ?, cut = ?, diff = ?, tree = ?
    WHERE run = ?`,
} as const;
