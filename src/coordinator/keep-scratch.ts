import { ownScope } from '../domain/authority.js';
import { knownUnit, liveScope, ownerOf } from '../domain/blockers.js';
import type { Draft } from '../domain/draft.js';
import { isGlob } from '../domain/glob.js';
import { printHandle } from '../domain/handle.js';
import { nameKey } from '../domain/path.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import { reap } from '../domain/settle.js';
import type { ScratchPiece } from '../processes/runner.js';
import type { MovedOver } from '../workspace/workspace.js';
import type { Caller, RunOutput } from './contract.js';
import { act, claimant, type NamedProcess, type Parts, scopeNeeds } from './parts.js';
import { otherOwner, ownerInside, type Writer } from './scratch.js';

/** Renames in one transaction: others wait for it a few milliseconds. */
const BATCH = 250;

type Rejected = RunOutput['rejected'][number];

/** Whose scratch it is. */
interface By extends Writer {
  /** The scope of its own with which the command took its turn. */
  readonly turn: ScopeId | undefined;
}

/**
 * Scratch is moved over into the tree as it is, without versions or events, and without locks of its own. But only while
 * the lease of the command's scope holds, and never into scratch that somebody else has claimed by name or that a process
 * owns; all of it is looked at in the transaction in which it is moved.
 */
export async function keepScratch(
  parts: Parts,
  caller: Caller,
  by: By,
  pieces: readonly ScratchPiece[],
): Promise<Rejected[]> {
  const rejected: Rejected[] = [];
  let queue = pieces;
  while (queue.length > 0) {
    const batch = queue.slice(0, BATCH);
    const moved = await moveBatch(parts, caller, by, batch);
    const inside: ScratchPiece[] = [];
    for (const [at, piece] of batch.entries()) {
      const result = moved[at];
      if (result === 'folder') inside.push(...parts.workspace.piecesOf(piece).map((move) => ({ ...piece, ...move })));
      else if (isRefusal(result)) rejected.push({ path: shown(piece), reason: reasonOf(result) });
    }
    queue = [...inside, ...queue.slice(BATCH)];
  }
  return rejected;
}

const shown = ({ path, folder }: ScratchPiece): string => (folder ? `${path}/` : path);
const reasonOf = ({ code, sentence, next }: Refusal): string => `${code}: ${sentence} ${next}`.trim();

/** `folder`: what is in it has to be moved piece by piece. */
async function moveBatch(
  parts: Parts,
  caller: Caller,
  by: By,
  batch: readonly ScratchPiece[],
): Promise<readonly MovedOver[]> {
  const handle = by.own && printHandle(by.own, parts.mint);
  const done = await act(parts, caller, 'run', { scopes: scopeNeeds(handle) }, (draft) => {
    const live = handle === undefined ? undefined : ownScope(draft, claimant(parts, caller), handle);
    if (isRefusal(live)) return { answer: { moved: batch.map(() => live) } };
    const others = batch.map((piece) => heldByOther(draft, by, piece) ?? ownedByProcess(parts, by, piece));
    const free = parts.workspace.moveOver(batch.filter((_, at) => others[at] === undefined));
    let next = 0;
    return { answer: { moved: others.map((other) => other ?? free[next++] ?? 'done') } };
  });
  return isRefusal(done) ? batch.map(() => done) : done.moved;
}

/**
 * Who has claimed scratch that this piece would change: only that part is left out. A claim of a folder with versioned
 * files (`src/`, the whole tree) says nothing about the scratch in it: else nobody could build or install beside it.
 */
function heldByOther(draft: Draft, { own, turn }: By, piece: ScratchPiece): MovedOver | undefined {
  const { folds } = draft.view.settings;
  const unit = knownUnit(unitAround(piece), folds);
  const met = () =>
    draft.view.state.locks
      .overlapping(unit)
      .filter((entry) => entry.scope !== own?.id && entry.scope !== turn && isWithin(entry.unit, piece.top, folds));
  const entries = met();
  if (entries.length === 0) return undefined;
  reap(
    draft,
    entries.map((entry) => entry.unit),
  );
  const left = met();
  const [first] = left;
  if (first === undefined) return undefined;
  if (isDivisible(piece) && left.every((entry) => isBelow(entry.unit, piece.path, folds))) return 'folder';
  const scope = liveScope(draft.view, first.scope);
  return refuse(
    'HELD',
    `${first.unit} is held by ${scope.id} (${ownerOf(scope).agent}: ${scope.contract.title}).`,
    `Wait for it with claim_scope ${JSON.stringify({ units: [first.unit] })}, then run the command again.`,
    { unit: first.unit, scope: scope.id },
  );
}

function ownedByProcess(parts: Parts, by: By, piece: ScratchPiece): MovedOver | undefined {
  const owner = otherOwner(parts, by, piece);
  if (owner !== undefined) return notItsOwn(owner);
  const inside = piece.folder ? ownerInside(parts, by.held, piece.path) : undefined;
  if (inside === undefined) return undefined;
  return isDivisible(piece) ? 'folder' : notItsOwn(inside);
}

function notItsOwn({ name }: NamedProcess): Refusal {
  const next = `Run one of those, or claim process:${name}.`;
  return refuse('NOT_CLAIMED', `Only commands of process:${name} write here.`, next, { process: name });
}

/** What was removed can't be put back in part. */
const isDivisible = ({ folder, from }: ScratchPiece): boolean => folder && from !== null;

/** A unit that covers the piece; a folder around it where its name would read as a glob. */
function unitAround({ path, folder }: ScratchPiece): string {
  const names = path.split('/');
  const odd = names.findIndex((name) => isGlob(name) || name.includes('\\'));
  if (odd === 0) return './';
  if (odd > 0) return `${names.slice(0, odd).join('/')}/`;
  return folder ? `${path}/` : path;
}

const key = (text: string, folds: boolean): string => nameKey(text.replace(/\/$/, ''), folds);

function isBelow(unit: string, path: string, folds: boolean): boolean {
  return key(unit, folds).startsWith(`${key(path, folds)}/`);
}

function isWithin(unit: string, top: string, folds: boolean): boolean {
  return top === '' || key(unit, folds) === key(top, folds) || isBelow(unit, top, folds);
}
