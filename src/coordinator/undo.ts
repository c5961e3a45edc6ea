import { unknownScope } from '../domain/authority.js';
import { type Blocker, holderName, liveScope } from '../domain/blockers.js';
import { claim as decideClaim } from '../domain/claim.js';
import { printHandle } from '../domain/handle.js';
import { isRefusal, listed, type Refusal, refuse } from '../domain/refusal.js';
import { isEnded, type Scope, type ScopeId } from '../domain/scope.js';
import { buildersOn, isBuiltOn, raiseConflict } from './built-on.js';
import { change } from './change.js';
import type { Caller, PublishOutput } from './contract.js';
import type { UndoInput, UndoOutput } from './control-plane-contract.js';
import { changeRows } from './history.js';
import { act, claimant, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { publish } from './publish.js';
import { release } from './release.js';
import { type TakenBack, takenBack } from './take-back.js';
import { undoes, undoneBy } from './undone.js';
import { unitOfPath } from './units.js';

/**
 * Takes back exactly what one scope changed, if nobody built on it: as a scope of its own, of whoever asks for it, so
 * that history says who undid what. All of it or nothing.
 */
export async function undo(
  parts: Parts,
  caller: Caller,
  given: string,
  input: UndoInput,
): Promise<UndoOutput | Refusal> {
  const refused = (refusal: Refusal) => act<UndoOutput>(parts, caller, 'undo', {}, () => ({ answer: refusal }));
  const scope = await endedScope(parts, given);
  if (isRefusal(scope)) return refused(scope);
  const { id } = scope;
  const by = await undoneBy(parts, id);
  if (by !== undefined) return { id, status: 'already', by, paths: [] };
  if (scope.changes === 0) return { id, status: 'unchanged', paths: [] };
  if (!(await isTold(parts, id))) return refused(cutOff(id));
  const back = await takenBack(parts, id);
  if (isRefusal(back)) return refused(back);
  if (back.wanted.length === 0 && back.builtOn.size === 0 && !(await isBegun(parts, scope)))
    return { id, status: 'already', paths: [] };
  const builders = await buildersOn(parts, id, back);
  if (builders.length === 0) {
    const blocked = parts.rules.commit === 'none' ? undefined : await parts.git?.blocked();
    return blocked === undefined ? undone(parts, caller, scope, back, input) : refused(blocked);
  }
  if (input.conflict !== true) return refused(isBuiltOn(scope, builders));
  const raised = await raiseConflict(parts, caller, scope, back, builders);
  return isRefusal(raised) ? raised : { id, status: 'conflict', by: raised.id, paths: raised.paths };
}

/** Whether its events are there from the first one on: modes and takings back are told by them alone. */
async function isTold(parts: Parts, scope: ScopeId): Promise<boolean> {
  const [first] = await parts.store.events({ scope, after: 0, limit: 1 });
  return first?.body.type === 'scope.opened';
}

function cutOff(id: ScopeId): Refusal {
  return refuse(
    'NOT_FOUND',
    `The events of ${id} are not kept any more (keep.events_days in signalbox.yaml), so what it changed cannot be told exactly.`,
    'Revert its commit with git, or take the lines back in a scope of your own.',
    { scope: id, expired: true },
  );
}

async function endedScope(parts: Parts, given: string): Promise<Scope | Refusal> {
  const [id] = scopeNeeds(given);
  const scope = await parts.store.view({ scopes: scopeNeeds(given) }, (view) => (id ? view.scope(id) : undefined));
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return scope;
  const call = `release_scope ${JSON.stringify({ scope: scope.id, changes: 'revert' })}`;
  return refuse(
    'BLOCKED',
    `${scope.id} is ${scope.status}: only what has ended is undone.`,
    `Whoever has it takes its changes back with ${call}; where nobody has it, claim it first.`,
    { scope: scope.id, status: scope.status },
  );
}

/** An undoing that was cut off before it was published: its scope is open for anybody, and is taken up. */
function isBegun(parts: Parts, { id }: Scope): Promise<boolean> {
  return parts.store.view({}, ({ state }) => state.scopes.some(({ contract }) => contract.cause === undoes(id)));
}

async function undone(
  parts: Parts,
  caller: Caller,
  scope: Scope,
  { wanted }: TakenBack,
  { reason }: UndoInput,
): Promise<UndoOutput | Refusal> {
  const paths = wanted.map(({ path }) => path);
  const own = await claimed(parts, caller, scope, paths);
  if (isRefusal(own)) return own;
  const handle = printHandle(own, parts.mint);
  const made = await written(parts, caller, scope, handle, { wanted, paths, reason });
  if (isRefusal(made)) return givenUp(parts, caller, handle, made);
  await tellConsumers(parts, caller, scope, own);
  const { commit, branch } = made;
  const changed = await changeRows(parts, own.id);
  return {
    id: scope.id,
    status: 'undone',
    by: own.id,
    paths: [...new Set(changed.map(({ path }) => path))],
    ...(commit === undefined ? {} : { commit }),
    ...(branch === undefined ? {} : { branch }),
  };
}

/** The files and a scope for the undoing; nobody is waited for. */
function claimed(parts: Parts, caller: Caller, { id, contract }: Scope, paths: readonly string[]) {
  const { maxTitle, folds } = parts.settings;
  const units = [...new Set(paths.map((path) => unitOfPath(path, folds)))];
  const opening = {
    title: `Undo ${id}: ${contract.title}`.slice(0, maxTitle),
    phase: 'iterate' as const,
    units,
    consumes: [],
    produces: [],
    priority: 0,
    standing: false,
    parent: id,
    cause: undoes(id),
  };
  return act<Scope>(parts, caller, 'undo', { scopes: [id] }, (draft) => {
    const begun = draft.view.state.scopes.find((other) => other.contract.cause === undoes(id));
    const request = { opening, units, mode: 'write' as const, ...(begun === undefined ? {} : { scope: begun.id }) };
    const answer = draft.attempt<Scope>(() => {
      const made = decideClaim(draft, claimant(parts, caller), request);
      if (isRefusal(made)) return begun === undefined ? made : { ...made, next: whenEnded(id, begun) };
      const [first] = made.ahead;
      return first === undefined ? liveScope(draft.view, made.scope) : held(id, first);
    });
    return { answer, ...(isRefusal(answer) ? {} : { life: scopeAlive(caller, answer.id) }) };
  });
}

function whenEnded(id: string, begun: Scope): string {
  return `Undo ${id} again when ${begun.id} has ended; \`signalbox release ${begun.id}\` takes it from one that has died.`;
}

function held(id: string, { scope, units }: Blocker): Refusal {
  return refuse(
    'HELD',
    `${listed(units)} is held by ${scope.id} (${holderName(scope)}: ${scope.contract.title}); nothing was undone.`,
    `Undo ${id} when ${scope.id} has ended.`,
    { scope: id, units: [...units], holder: scope.id },
  );
}

interface Undoing {
  readonly wanted: TakenBack['wanted'];
  readonly paths: readonly string[];
  readonly reason: string | undefined;
}

async function written(
  parts: Parts,
  caller: Caller,
  { id, contract }: Scope,
  handle: string,
  { wanted, paths, reason }: Undoing,
): Promise<PublishOutput | Refusal> {
  if (wanted.length > 0) {
    const write = { scope: handle, paths, title: `Undo ${id}` };
    const done = await change(parts, caller, { tool: 'undo', cause: 'revert', write, wanted });
    if (isRefusal(done)) return done;
    if ('moved' in done) return changedMeanwhile(id, done.moved);
  }
  const why = reason?.trim() || `Takes back what ${id} changed: ${contract.title}`;
  return publish(parts, caller, { scope: handle, summary: why });
}

function changedMeanwhile(id: string, paths: readonly string[]): Refusal {
  const sentence = `${listed(paths)} was changed while ${id} was being undone; nothing was undone.`;
  return refuse('STALE_BASE', sentence, `Undo ${id} again.`, { scope: id, paths: [...paths] });
}

/** What could not be published is put back as it was. */
async function givenUp(parts: Parts, caller: Caller, handle: string, refusal: Refusal): Promise<Refusal> {
  const reason = `could not be published: ${refusal.sentence}`;
  const back = await release(parts, caller, { scope: handle, changes: 'revert', reason });
  if (!isRefusal(back)) return { ...refusal, next: `Nothing was undone. ${refusal.next}` };
  return { ...refusal, next: `${refusal.next} What was taken back could not be restored: ${back.sentence}` };
}

/** Whoever works from its outputs hears that they are void. */
async function tellConsumers(parts: Parts, caller: Caller, { id }: Scope, { id: by }: Scope): Promise<void> {
  await act(parts, caller, 'undo', {}, (draft) => {
    const consumers = draft.view.state.scopes.filter(({ contract }) => contract.consumes.includes(id));
    const text = `${id}, whose outputs you consume, was undone by ${by}`;
    for (const scope of consumers.keys()) draft.emit({ type: 'scope.noted', scope, from: by, text });
    return { answer: undefined };
  });
}
