const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs until the work ends or a person stops it: with Ctrl-C (a second one ends it at once), or by closing the terminal. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const signal of SIGNALS) process.once(signal, end);
  // The waits inside are unreferenced: this keeps the process alive while they last.
  const alive = setInterval(() => undefined, 1 << 30);
  try {
    await work(stop.signal);
  } finally {
    clearInterval(alive);
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

/** Resolves when the signal is aborted, also where it was already. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whoever read what is printed has gone (`| head`): nothing is left to be done. */
export function endWhenUnread(): void {
  process.stdout.on('error', () => {
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(0);
  });
}
