import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Caller } from '../coordinator/contract.js';
import { isReserved } from '../domain/agent-name.js';

const CONNECTION = `cli:${randomUUID()}`;

/** The person at the command line, as a caller. */
export function person(signal: AbortSignal = new AbortController().signal): Caller {
  return { connection: CONNECTION, agent: personName(), patience: 24 * 3_600_000, signal };
}

export function personName(): string {
  try {
    const { username } = userInfo();
    return isReserved(username) ? 'operator' : username;
  } catch {
    return 'operator'; // A user id without an entry in the system's list, as containers have it.
  }
}
