import type { Assembled } from '../../src/cli/assemble.js';
import type { Caller } from '../../src/coordinator/contract.js';
import { isRefusal, type Refusal } from '../../src/domain/refusal.js';

/** A caller as a door would name it. Each call needs one of its own, because of its signal. */
export function callerOf(connection: string): Caller {
  const { signal } = new AbortController();
  return { connection, agent: connection, patience: 60_000, signal };
}

/** The answer, where it has to be a yes. */
export function granted<T extends object>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}

/** Claims a unit and gives it up again: two commits. */
export async function claimAndRelease({ coordinator }: Assembled, connection: string, unit: string): Promise<void> {
  const { scope } = granted(await coordinator.claim(callerOf(connection), { units: [unit] }));
  granted(await coordinator.release(callerOf(connection), { scope }));
}

/** What a door says when a client has come: from now on somebody beats for it. */
export function connect({ coordinator }: Assembled, connection: string): Promise<void> {
  return coordinator.connected(connection);
}
