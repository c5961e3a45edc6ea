import { type Amendment, amend as decideAmend } from '../domain/amend.js';
import type { Draft } from '../domain/draft.js';
import { releaseByOperator } from '../domain/end.js';
import { namedScope } from '../domain/open.js';
import {
  cancel as decideCancel,
  note as decideNote,
  pause as decidePause,
  reopen as decideReopen,
  resume as decideResume,
} from '../domain/operate.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Caller } from './contract.js';
import type { AmendInput, OperateInput, OperateOutput } from './control-plane-contract.js';
import { act, type Parts, scopeNeeds } from './parts.js';
import { outdated } from './revision.js';
import { stopped } from './unfinished-runs.js';
import { parseProduces, parseUnits } from './units.js';

const NO_REASON = 'by the operator';
/** How long to wait for the end of a scope's commands, in milliseconds. */
const ENDING = 10_000;

type Rule = (draft: Draft) => Scope | Refusal;

interface Action {
  readonly tool: string;
  /** The scope, by id or handle. */
  readonly scope: string;
  readonly match: readonly string[] | undefined;
  /** Further scopes that the rule looks at. */
  readonly besides?: readonly string[];
}

/** The one way in which people act on a scope, whoever has it: on the revision that they looked at, if they name one. */
async function operate(parts: Parts, caller: Caller, action: Action, rule: Rule): Promise<OperateOutput | Refusal> {
  const { tool, scope, match, besides = [] } = action;
  const done = await act<Scope>(parts, caller, tool, { scopes: scopeNeeds(scope, ...besides) }, (draft) => ({
    answer: outdated(namedScope(draft, scope), match) ?? rule(draft),
  }));
  if (isRefusal(done)) return done;
  if (done.stopping === undefined) return { id: done.id, status: done.status };
  // Its commands are ended by their own servers, or else from here.
  await stopped(parts, done.id, ENDING, caller.signal);
  return parts.store.view({ scopes: [done.id] }, (view) => {
    const { id, status, stopping } = view.scope(done.id) ?? done;
    return { id, status, ...(stopping === undefined ? {} : { stopping: stopping.reason }) };
  });
}

export async function amend(parts: Parts, caller: Caller, scope: string, input: AmendInput) {
  const { match, consumes = [] } = input;
  const amendment = await amendmentOf(parts, input);
  return operate(parts, caller, { tool: 'amend', scope, match, besides: consumes }, (draft) =>
    isRefusal(amendment) ? amendment : decideAmend(draft, scope, amendment, caller.agent),
  );
}

async function amendmentOf({ workspace }: Parts, input: AmendInput): Promise<Amendment | Refusal> {
  const { match: _, units: givenUnits, produces: givenProduces, non_goals: nonGoals, title, ...rest } = input;
  const units = givenUnits && (await parseUnits(workspace, givenUnits));
  if (isRefusal(units)) return units;
  const produces = givenProduces && (await parseProduces(workspace, givenProduces));
  if (isRefusal(produces)) return produces;
  return {
    ...rest,
    ...(title === undefined ? {} : { title: title.trim() }),
    ...(units === undefined ? {} : { units }),
    ...(produces === undefined ? {} : { produces }),
    ...(nonGoals === undefined ? {} : { nonGoals }),
  };
}

export function pause(parts: Parts, caller: Caller, scope: string, { reason = NO_REASON, match }: OperateInput) {
  return operate(parts, caller, { tool: 'pause', scope, match }, (draft) =>
    decidePause(draft, scope, caller.agent, reason),
  );
}

export function resume(parts: Parts, caller: Caller, scope: string, { match }: OperateInput) {
  return operate(parts, caller, { tool: 'resume', scope, match }, (draft) => decideResume(draft, scope, caller.agent));
}

export function cancel(parts: Parts, caller: Caller, scope: string, { reason = NO_REASON, match }: OperateInput) {
  return operate(parts, caller, { tool: 'cancel', scope, match }, (draft) =>
    decideCancel(draft, scope, caller.agent, reason),
  );
}

/** What it consumes is named in its contract, so that is looked at first. */
export async function reopen(
  parts: Parts,
  caller: Caller,
  scope: string,
  { reason = NO_REASON, match }: OperateInput,
): Promise<OperateOutput | Refusal> {
  const [id] = scopeNeeds(scope);
  const besides = await parts.store.view({ scopes: scopeNeeds(scope) }, (view) =>
    id === undefined ? [] : (view.scope(id)?.contract.consumes ?? []),
  );
  return operate(parts, caller, { tool: 'reopen', scope, match, besides }, (draft) =>
    decideReopen(draft, scope, caller.agent, reason),
  );
}

/** Takes a scope away from its owner. What it changed stays, and whoever claims it next is told. */
export function release(parts: Parts, caller: Caller, scope: string, { reason = NO_REASON, match }: OperateInput) {
  return operate(parts, caller, { tool: 'release', scope, match }, (draft) =>
    releaseByOperator(draft, scope, caller.agent, reason),
  );
}

export function note(parts: Parts, caller: Caller, scope: string, text: string): Promise<OperateOutput | Refusal> {
  return operate(parts, caller, { tool: 'note', scope, match: undefined }, (draft) =>
    decideNote(draft, scope, caller.agent, text),
  );
}
