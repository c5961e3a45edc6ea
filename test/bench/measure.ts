/** Times `work` so many times, one after the other. → milliseconds of each. */
export async function timed(times: number, work: (at: number) => unknown): Promise<number[]> {
  const samples: number[] = [];
  for (let at = 0; at < times; at++) {
    const start = performance.now();
    await work(at);
    samples.push(performance.now() - start);
  }
  return samples;
}

/**
 * Lets all contestants run in turn, round after round and each time in another order, so that whatever else the
 * machine does hits all of them. The first round warms them up and is not counted. → all samples of each contestant.
 */
export async function inTurns(
  rounds: number,
  contestants: readonly (() => Promise<readonly number[]>)[],
): Promise<number[][]> {
  const samples: number[][] = contestants.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const at = (turn + round) % contestants.length;
      const found = (await contestants[at]?.()) ?? [];
      if (round > 0) samples[at]?.push(...found);
    }
  }
  return samples;
}

/** The medians of what `inTurns` gave. */
export function medians(samples: readonly (readonly number[])[]): number[] {
  return samples.map((each) => percentile(each, 50));
}

export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
  if (found === undefined) throw new Error('nothing was measured');
  return found;
}
