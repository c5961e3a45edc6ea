import { parseHandle } from '../domain/handle.js';
import { lapsed, lost } from '../domain/leases.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { claim } from './claim.js';
import type { Caller } from './contract.js';
import { act, type NamedProcess, type Parts } from './parts.js';
import { release } from './release.js';
import { titleFrom } from './title.js';

/** The process unit of a command, held for as long as it runs. */
export interface Acquired {
  readonly network: boolean;
  release(): Promise<void>;
}

/** What kind of command this is, if it is of a named one. */
export function processOf({ rules }: Parts, command: string): NamedProcess | undefined {
  return rules.processes.find(({ match }) => match.some((pattern) => matches(pattern, command)));
}

/** The unit is free for the next one by a scope of its own, so that it ends with the command and not with the work. */
export async function acquireProcess(
  parts: Parts,
  caller: Caller,
  own: Scope | undefined,
  named: NamedProcess | undefined,
  command: string,
  wait: number | undefined,
): Promise<Acquired | Refusal> {
  const unit = `process:${named?.name ?? ''}`;
  const network = named?.network ?? true;
  if (named === undefined || own?.locks.has(unit)) return { network, release: async () => undefined };
  const runner = { ...caller, agent: `${caller.agent} (run)` };
  const ticket = ticketOf(caller, unit);
  const former = parts.processTickets.get(ticket);
  // Taken out at once: two calls with one place would both get its grant.
  parts.processTickets.delete(ticket);
  const waiting = await placeInQueue(parts, former);
  const asked = waiting === undefined ? { title: titleFrom(`Run ${command}`), units: [unit] } : { scope: waiting };
  const claimed = await claim(parts, runner, { ...asked, ...(wait === undefined ? {} : { wait_s: wait }) });
  if (isRefusal(claimed)) return claimed;
  if (claimed.status === 'waiting') {
    parts.processTickets.set(ticket, claimed.scope);
    const busy = stillBusy(unit, claimed.queue?.ahead ?? []);
    return act<Acquired>(parts, caller, 'run', {}, () => ({ answer: busy }));
  }
  return {
    network,
    release: async () => {
      await release(
        parts,
        { ...runner, signal: new AbortController().signal },
        { scope: claimed.scope, reason: 'the command ended' },
      );
    },
  };
}

/** The place that an earlier call got, unless it has lapsed since. */
async function placeInQueue(parts: Parts, handle: string | undefined): Promise<string | undefined> {
  const id = handle === undefined ? undefined : parseHandle(handle)?.id;
  if (id === undefined) return undefined;
  const owned = await parts.store.view({}, (view) => {
    const scope = view.state.scopes.get(id);
    return scope?.owner !== undefined && lapsed(view, scope) === undefined && lost(view, scope) === undefined;
  });
  return owned ? handle : undefined;
}

function ticketOf(caller: Caller, unit: string): string {
  return `${caller.connection} ${caller.agent} ${unit}`;
}

function stillBusy(
  unit: string,
  ahead: readonly { readonly id: string; readonly agent: string; readonly title: string }[],
): Refusal {
  const [first] = ahead;
  const who = first === undefined ? 'somebody else' : `${first.id} (${first.agent}: ${first.title})`;
  return refuse(
    'WAITING',
    `${unit} is busy with ${who}.`,
    'Call run again with the same command: your place in the queue is kept for a minute.',
    {
      unit,
      ahead: ahead.map(({ id, agent, title }) => ({ id, agent, title })),
    },
  );
}

/** Whether a pattern with `*` for anything covers the whole command. Linear: no regular expression of a user's is run. */
export function matches(pattern: string, command: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return command === pattern;
  if (!command.startsWith(first) || !command.endsWith(last) || command.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = command.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= command.length - last.length;
}
