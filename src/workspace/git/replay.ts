/** One change that a scope made to a file, whole contents in working-tree form. `null`: no file. */
export interface Step {
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** Three-way merge; null where the two sides touch the same lines or the contents are not text. */
export type Merge = (base: Uint8Array, ours: Uint8Array, theirs: Uint8Array) => Uint8Array | null;

/**
 * A scope's steps replayed on `start` → the content with these changes and nobody else's; null: the file is deleted.
 * Undefined where a step does not fit.
 */
export function replay(start: Uint8Array | null, steps: readonly Step[], merge: Merge): Uint8Array | null | undefined {
  let content = start;
  for (const { before, after } of chained(stepsAfter(start, steps))) {
    if (isSame(content, before)) content = after;
    else if (isSame(content, after)) continue;
    else {
      if (content === null || before === null || after === null) return undefined;
      const merged = merge(before, content, after);
      if (merged === null) return undefined;
      content = merged;
    }
  }
  return content;
}

/** Steps that `start` already stands behind (an earlier publication, a person's own commit) are not made again. */
function stepsAfter(start: Uint8Array | null, steps: readonly Step[]): readonly Step[] {
  return steps.slice(steps.findLastIndex((step) => isSame(step.after, start)) + 1);
}

/** Joins steps with nothing in between into one: only the net change can collide with other people's lines. */
export function chained(steps: readonly Step[]): Step[] {
  const joined: Step[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    if (last !== undefined && isSame(last.after, step.before))
      joined.splice(-1, 1, { before: last.before, after: step.after });
    else joined.push(step);
  }
  return joined;
}

export function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a === b || Buffer.compare(a, b) === 0;
}
