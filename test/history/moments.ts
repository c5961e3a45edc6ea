import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** Looks with every turn of the event loop until it is so; for moments that are over in a millisecond. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

/** When the latest patch began to be applied; undefined where that is long over. */
export function applyingSince(root: string): bigint | undefined {
  return statSync(join(root, '.signalbox/applying'), { bigint: true, throwIfNoEntry: false })?.mtimeNs;
}

/** Resolves when the next patch has just begun to be applied. */
export async function nextApplying(root: string): Promise<void> {
  const former = applyingSince(root);
  await until(() => ![undefined, former].includes(applyingSince(root)));
}
