import type { Check } from './checks.js';
import { claimedByWriting, type EventOf, type History, isOf, ofType } from './history.js';
import type { Remark } from './messages.js';
import type { Remarked, Seat } from './troupe.js';

/** What happened, counted. Also what `--json` prints. */
export interface Result {
  /** Nothing was lost, and every step went as scripted. */
  readonly ok: boolean;
  /** What went differently than scripted; empty where all went well. */
  readonly failures: readonly string[];
  /** Milliseconds from the start of the first process to the last check. */
  readonly took_ms: number;
  readonly agents: readonly Seat[];
  /** How commands were contained; `none` where this machine can contain none, so that none was run. */
  readonly containment: string;
  readonly claims: number;
  /** Files that a patch or a command claimed in the same step. */
  readonly implicit_claims: number;
  readonly waits: readonly Wait[];
  readonly patches: number;
  readonly rebased: readonly string[];
  /** Refusals by code. */
  readonly refusals: { readonly [code: string]: number };
  readonly rejected_writes: readonly string[];
  /** Refused writes: each would have overwritten what somebody else did. */
  readonly conflicts_prevented: number;
  readonly handovers: readonly { readonly scope: string; readonly from: string; readonly to: string }[];
  readonly commits: readonly { readonly scope: string; readonly agent: string; readonly commit: string }[];
  readonly checks: readonly Check[];
  /** The folder, where it was kept. */
  readonly folder?: string;
}

export interface Wait {
  readonly agent: string;
  readonly for: string;
  /** Milliseconds from the claim to the grant. */
  readonly ms: number;
}

export type Facts = Omit<Result, 'ok' | 'failures' | 'took_ms' | 'agents' | 'checks' | 'folder'>;

/** Refusals that kept one agent from overwriting another's work. */
const CONFLICTS = ['HELD', 'STALE_BASE'];

export function tally(history: History, remarks: readonly Remarked[]): Facts {
  const refusals: { [code: string]: number } = {};
  for (const { body } of ofType(history, 'refused')) refusals[body.code] = (refusals[body.code] ?? 0) + 1;
  const rejected = pathsOf(remarks, 'rejected');
  return {
    containment: ofType(history, 'run.started')[0]?.body.containment ?? 'none',
    claims: ofType(history, 'scope.granted').filter(({ body }) => !isProcess(body.units)).length,
    implicit_claims: history.events.flatMap((event, at) => claimedByWriting(event, history.events[at + 1])).length,
    waits: waits(history),
    patches: ofType(history, 'files.changed').filter(({ body }) => body.cause === 'patch').length,
    rebased: pathsOf(remarks, 'rebased'),
    refusals,
    rejected_writes: rejected,
    conflicts_prevented: rejected.length + CONFLICTS.reduce((sum, code) => sum + (refusals[code] ?? 0), 0),
    handovers: handovers(history),
    commits: ofType(history, 'scope.done').flatMap(({ agent, body }) =>
      body.commit === undefined ? [] : [{ scope: body.scope, agent, commit: body.commit }],
    ),
  };
}

function pathsOf(remarks: readonly Remarked[], about: Remark): string[] {
  return remarks.filter(({ remark }) => remark.about === about).flatMap(({ remark }) => remark.paths);
}

/** From the first time that a scope queued to its grant. */
function waits(history: History): Wait[] {
  const begun = new Map<string, EventOf<'scope.queued'>>();
  const found: Wait[] = [];
  for (const event of history.events) {
    if (isOf(event, 'scope.queued') && !isProcess(event.body.units) && !begun.has(event.body.scope))
      begun.set(event.body.scope, event);
    if (!isOf(event, 'scope.granted')) continue;
    const queued = begun.get(event.body.scope);
    if (queued === undefined || !event.body.queued) continue;
    begun.delete(event.body.scope);
    found.push({ agent: queued.body.owner.agent, for: queued.body.units.join(', '), ms: event.wall - queued.wall });
  }
  return found;
}

/** A lost scope, with whoever got it next. */
function handovers(history: History): Result['handovers'] {
  return ofType(history, 'scope.expired').flatMap(({ seq, body }) => {
    const next = ofType(history, 'scope.granted').find((event) => event.seq > seq && event.body.scope === body.scope);
    return next === undefined ? [] : [{ scope: body.scope, from: body.from, to: next.body.owner.agent }];
  });
}

function isProcess(units: readonly string[]): boolean {
  return units.every((unit) => unit.startsWith('process:'));
}
