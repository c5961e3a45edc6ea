/** Runs until the work ends or a person stops it with Ctrl-C (or the system with SIGTERM). */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // The waits inside are unreferenced: this keeps the process alive while they last.
  const alive = setInterval(() => undefined, 1 << 30);
  try {
    await work(stop.signal);
  } finally {
    clearInterval(alive);
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}
