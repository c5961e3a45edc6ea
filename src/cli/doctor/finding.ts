/** What was found about one part, by trying it. */
export interface Finding {
  readonly part: string;
  /** `warn`: it works, with less than there could be. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export const ok = (part: string, found: string): Finding => ({ part, state: 'ok', found });
export const warn = (part: string, found: string, remedy: string): Finding => ({ part, state: 'warn', found, remedy });
export const fail = (part: string, found: string, remedy: string): Finding => ({ part, state: 'fail', found, remedy });

/** Tries a part. What it throws is a failure of that part, and the other parts are tried all the same. */
export async function attempt(
  part: string,
  remedy: string,
  work: () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    return [fail(part, error instanceof Error ? error.message : String(error), remedy)];
  }
}
