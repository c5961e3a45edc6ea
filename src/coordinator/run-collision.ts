import { hash as digest } from 'node:crypto';
import type { Content } from '../domain/intent.js';
import { conflictsOver, type Occasion, raise } from '../domain/raise.js';
import { isRefusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import type { Caller, RunOutput } from './contract.js';
import { act, type Parts } from './parts.js';

/** A command may write over a whole checkout: past so many, its writes are only rejected. */
const MOST = 20;

/** A write of a command that does not fit what has become of its file meanwhile. */
export interface Collision {
  readonly path: string;
  /** What the command made of it, and what is there now; null for no file. */
  readonly made: Uint8Array | null;
  readonly present: Uint8Array | null;
  /** Whether nobody but the command's own scope has changed the file meanwhile. */
  readonly alone: boolean;
  /** The other scopes that have; none: somebody outside. */
  readonly by: readonly ScopeId[];
}

interface Collided {
  readonly run: string;
  readonly own: Scope;
}

/**
 * Both texts are kept, and a conflict scope asks somebody to bring them together: one for a file and a scope, however often
 * the command is run again. What a scope did to its own command's file meanwhile, it knows itself.
 */
export async function rejectCollisions(
  parts: Parts,
  caller: Caller,
  { run, own }: Collided,
  collisions: readonly Collision[],
): Promise<RunOutput['rejected']> {
  const others = collisions.filter(({ alone }) => !alone).slice(0, MOST);
  const raised = new Map<string, ScopeId>();
  if (others.length > 0) {
    await parts.store.keep(others.flatMap(sidesOf));
    await act(parts, caller, 'run', {}, (draft) => {
      for (const collision of others) {
        const known = conflictsOver(draft.view, collision.path).find(({ conflict }) =>
          conflict.between.includes(own.id),
        );
        const conflict = known?.scope.id ?? raise(draft, occasionOf(run, own, collision));
        if (isRefusal(conflict)) parts.log(`no scope was opened for ${collision.path}: ${conflict.sentence}`);
        else if (conflict !== undefined) raised.set(collision.path, conflict);
      }
      return { answer: undefined };
    });
  }
  return collisions.map((collision) => ({ path: collision.path, reason: reasonOf(own, collision, raised) }));
}

function reasonOf({ id }: Scope, { path, alone, by }: Collision, raised: ReadonlyMap<string, ScopeId>): string {
  const conflict = raised.get(path);
  const both = conflict === undefined ? '' : `; both texts are in the conflict scope ${conflict}`;
  const who = alone ? id : by.join(', ') || 'somebody outside Signalbox';
  return `STALE_BASE: ${who} changed it while the command ran; read it and run again${both}`;
}

function sidesOf({ made, present }: Collision): Content[] {
  const both = [made, present].filter((bytes) => bytes !== null);
  return both.map((bytes) => ({ hash: digest('sha256', bytes), bytes }));
}

function occasionOf(run: string, own: Scope, collision: Collision): Occasion {
  const { path, made, present, by } = collision;
  const who = by.join(', ') || 'somebody outside Signalbox';
  const told = (bytes: Uint8Array | null): string =>
    bytes === null ? 'no file' : `artifact:${digest('sha256', bytes)}`;
  return {
    cause: `run:${path}:${own.id}`,
    title: `Conflict in ${path.slice(-120)}: ${who} changed what ${run} of ${own.id} wrote`,
    note: `What ${run} made of ${path} was not kept: ${told(made)}. What is there now: ${told(present)}. Bring them together.`,
    phase: 'iterate',
    units: [path],
    conflict: { between: [own.id, ...by], paths: [path], sides: sidesOf(collision).map(({ hash }) => hash) },
  };
}
