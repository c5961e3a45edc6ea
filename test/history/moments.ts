import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/**
 * Looks with every turn of the event loop until it is so; for moments that are over in a millisecond.
 *
 * @param answer of the call in which the moment lies: once it is there, the moment was missed, and this resolves too.
 */
export async function until(isSo: () => boolean, answer?: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  answer?.then(over, over);
  while (!isSo() && !isOver) await setImmediate();
}

/** When the latest patch began to be applied; undefined where that is long over. */
export function applyingSince(root: string): bigint | undefined {
  return statSync(join(root, '.signalbox/applying'), { bigint: true, throwIfNoEntry: false })?.mtimeNs;
}

/** Resolves when the next patch has just begun to be applied. `answer`: as above. */
export async function nextApplying(root: string, answer?: Promise<unknown>): Promise<void> {
  const former = applyingSince(root);
  await until(() => ![undefined, former].includes(applyingSince(root)), answer);
}
