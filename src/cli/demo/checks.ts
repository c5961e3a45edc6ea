import { createHash } from 'node:crypto';
import { evolve } from '../../domain/evolve.js';
import { overlaps } from '../../domain/overlap.js';
import { isRefusal } from '../../domain/refusal.js';
import { EMPTY_STATE } from '../../domain/state.js';
import { parseUnit, type Unit } from '../../domain/unit.js';
import { type Change, type History, ofType, type Side } from './history.js';

/** Something that was recomputed from the ledger, the files and git, and what came out. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was compared, or what is wrong. */
  readonly detail: string;
}

/** The project's files, by path. */
export type Files = ReadonlyMap<string, Uint8Array>;

function checked(name: string, wrong: readonly string[], detail: string): Check {
  return wrong.length === 0 ? { name, ok: true, detail } : { name, ok: false, detail: wrong.slice(0, 5).join('; ') };
}

/** Each grant, against all that others held at that moment. */
export function nobodyHeldTheSame(history: History): Check {
  let state = EMPTY_STATE;
  let grants = 0;
  const wrong: string[] = [];
  for (const event of history.events) {
    const { body } = event;
    if (body.type === 'scope.granted') {
      grants++;
      const others = state.scopes
        .toList()
        .filter((scope) => scope.id !== body.scope)
        .toArray();
      for (const other of others) {
        for (const unit of body.units) {
          const both = [...other.locks.keys()].find((held) => overlaps(unitOf(unit), unitOf(held)));
          if (both !== undefined)
            wrong.push(`event ${event.seq}: ${unit} was granted to ${body.scope} while ${other.id} held ${both}`);
        }
      }
    }
    state = evolve(state, event);
  }
  return checked('No two agents ever held the same file', wrong, `${grants} grants replayed`);
}

function unitOf(text: string): Unit {
  const unit = parseUnit(text);
  if (isRefusal(unit)) throw new Error(`not a unit: ${text}`);
  return unit;
}

/** Each change, against what the change before it had left. */
export function everyChangeFollows(history: History, initial: Files): Check {
  const present = new Map([...initial].map(([path, bytes]) => [path, sha256(bytes)]));
  const wrong: string[] = [];
  for (const { seq, path, before, after } of history.changes) {
    const stood = present.get(path) ?? null;
    if ((before?.hash ?? null) !== stood)
      wrong.push(`event ${seq}: ${path} was changed from a version that was not the present one`);
    if (after === null) present.delete(path);
    else present.set(path, after.hash);
  }
  return checked(
    'Every change was made on top of the one before',
    wrong,
    `${history.changes.length} changes of ${new Set(history.changes.map(({ path }) => path)).size} files`,
  );
}

/** The initial files and all recorded changes, against what is on disk. */
export function replayGivesTheFiles(history: History, initial: Files, final: Files): Check {
  const files = new Map(initial);
  const wrong: string[] = [];
  for (const { path, after } of history.changes) {
    if (after === null) files.delete(path);
    else files.set(path, after.bytes);
    if (after !== null && sha256(after.bytes) !== after.hash)
      wrong.push(`the kept content of ${path} is not what its hash says`);
  }
  for (const path of new Set([...files.keys(), ...final.keys()])) {
    if (!same(files.get(path), final.get(path))) wrong.push(`${path} is not as the ledger says`);
  }
  return checked('Replaying the changes gives exactly the files on disk', wrong, `${files.size} files, byte for byte`);
}

/** Each line that an agent wrote, against the final files. In this story nobody has a reason to remove another's line. */
export function everyLineIsThere(history: History, final: Files): Check {
  const written = new Map<string, number>();
  const wrong: string[] = [];
  for (const [path, changes] of byPath(history.changes)) {
    const owed = new Map<string, number>();
    for (const change of changes) {
      for (const [line, count] of addedLines(change)) {
        written.set(change.agent, (written.get(change.agent) ?? 0) + count);
        owed.set(line, (owed.get(line) ?? 0) + count);
      }
    }
    const there = countLines(final.get(path));
    for (const [line, count] of owed) {
      if ((there.get(line) ?? 0) < count) wrong.push(`${path} has lost ${JSON.stringify(line.trim())}`);
    }
  }
  const detail = [...written]
    .sort()
    .map(([agent, count]) => `${agent} ${count}`)
    .join(', ');
  return checked('Every line that an agent wrote is there', wrong, `lines by ${detail}`);
}

function byPath(changes: readonly Change[]): Map<string, Change[]> {
  const found = new Map<string, Change[]>();
  for (const change of changes) found.set(change.path, [...(found.get(change.path) ?? []), change]);
  return found;
}

/** Lines that a change made more of, without blank ones. */
function addedLines({ before, after }: Change): Map<string, number> {
  const former = countLines(bytesOf(before));
  const added = new Map<string, number>();
  for (const [line, count] of countLines(bytesOf(after))) {
    const more = count - (former.get(line) ?? 0);
    if (more > 0) added.set(line, more);
  }
  return added;
}

function countLines(bytes: Uint8Array | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  const lines = Buffer.from(bytes ?? [])
    .toString('utf8')
    .split('\n');
  for (const line of lines) if (line.trim() !== '') counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function bytesOf(side: Side): Uint8Array | undefined {
  return side?.bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

/** What git says of one commit. */
export interface Commit {
  readonly hash: string;
  readonly scope: string;
  readonly paths: readonly string[];
}

/** Each publication, against the commit that it made; and git's view of what is left over. */
export function commitsAreTheScopes(history: History, commits: readonly Commit[], status: string): Check {
  const wrong: string[] = [];
  const done = ofType(history, 'scope.done').filter(({ body }) => body.commit !== undefined);
  for (const { body } of done) {
    const commit = commits.find(({ hash }) => hash === body.commit);
    const paths = [
      ...new Set(history.changes.filter(({ scope }) => scope === body.scope).map(({ path }) => path)),
    ].sort();
    if (commit === undefined) wrong.push(`the commit of ${body.scope} is not in the history of HEAD`);
    else if (commit.scope !== body.scope || commit.paths.join() !== paths.join())
      wrong.push(`the commit of ${body.scope} has ${commit.paths.join(', ')}; the scope changed ${paths.join(', ')}`);
  }
  if (commits.length !== done.length)
    wrong.push(`${done.length} scopes were published, but git has ${commits.length} commits`);
  if (status !== '') wrong.push(`git status is not clean: ${status.trim().replaceAll('\n', ', ')}`);
  return checked(
    'Each published scope is one commit of exactly its changes',
    wrong,
    `${done.length} commits, and nothing is left over`,
  );
}

/** The ledger's own comparison of its events with its tables. */
export function ledgerIsWhole(history: History, differences: readonly string[]): Check {
  return checked(
    'The hash chain holds, and replaying the events gives the tables',
    differences,
    `${history.events.length} events`,
  );
}

/** The project's tests, run once more by the demo itself. */
export function testsPass({ exit, output }: { readonly exit: number; readonly output: string }): Check {
  const passed = /^# pass (\d+)/m.exec(output)?.[1] ?? /ℹ pass (\d+)/.exec(output)?.[1];
  return checked("The project's tests pass", exit === 0 ? [] : [output.slice(-500)], `${passed ?? 'all'} tests`);
}
