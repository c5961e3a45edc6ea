import { setImmediate } from 'node:timers/promises';

/** Looks with every turn of the event loop until it is so; for moments that are over in a millisecond. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}
