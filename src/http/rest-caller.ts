import { finished } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import type { Caller } from '../coordinator/contract.js';
import { isReserved } from '../domain/agent-name.js';
import { statelessConnection } from '../domain/leases.js';
import type { Told } from '../domain/notes.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import type { Operation } from '../wire/operations.js';
import type { Identity, Role } from './identity.js';

/** How long one call may wait, in milliseconds: proxies give up after a minute. Whoever waits longer calls again. */
const PATIENCE = 45_000;
const RANKS: { readonly [role in Role]: number } = { observer: 0, agent: 1, operator: 2 };
/** As much of a header as can stand in a ledger. */
const AGENT = /^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/;

/** What one request brings besides its input. */
export interface Sender {
  readonly identity: Identity;
  /** Who acts: the agent that the request names, else the name of the token. */
  readonly agent: string;
  readonly trace: string | undefined;
  readonly signal: AbortSignal;
  readonly heard: (notes: readonly Told[]) => void;
}

/** Each request stands alone: agents of one token are told apart by their names, and own by their handles. */
export function callerOf({ identity, agent, trace, signal, heard }: Sender, name = agent): Caller {
  return {
    connection: statelessConnection(`${identity.name}:${name}`),
    agent: name,
    patience: PATIENCE,
    signal,
    heard,
    ...(trace === undefined ? {} : { trace }),
    ...(identity.limits === undefined ? {} : { limits: identity.limits }),
  };
}

/** The one place where a role decides. `what` it may not do stands in the sentence. */
export function mayNot({ role }: Identity, needed: Operation['role'], what: string): Refusal | undefined {
  if (RANKS[role] >= RANKS[needed]) return undefined;
  return refuse(
    'DENIED',
    `Your token is for an ${role}, who may not ${what}.`,
    `Ask the operator, or use the token of an ${needed}.`,
    { role, needed },
  );
}

/** The agent that a header names. */
export function agentOf(header: string | undefined, { name }: Identity): string | Refusal {
  if (header === undefined) return name;
  if (AGENT.test(header) && !isReserved(header)) return header;
  const expected = '1 to 100 printable ASCII characters, and no name of Signalbox itself';
  return refuse('INVALID', `Signalbox-Agent does not fit: expected ${expected}.`, `Send it as ${expected}.`, {
    argument: 'Signalbox-Agent',
    expected,
  });
}

/** Aborts when the client hangs up before its answer is out. */
export function hangUp(outgoing: HttpBindings['outgoing']): AbortSignal {
  const gone = new AbortController();
  finished(outgoing, () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}
