import { COMMAND_MARK } from './command-scope.js';

/** Who is on record for scopes that Signalbox opens by itself. */
export const RAISER = 'signalbox';

/** Who stands in the ledger for what no agent did: Signalbox itself, a person's editor, the way back after a crash. */
const OWN = [RAISER, 'outside', 'recovery'];

/** Whether a name says that no agent acts, or a command: then no agent may go by it. */
export function isReserved(name: string): boolean {
  const plain = name.trim().toLowerCase();
  return OWN.includes(plain) || plain.endsWith(COMMAND_MARK);
}
