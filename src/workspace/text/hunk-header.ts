/** What a numbered hunk header says. Only `index` is used to choose between places; counts only end the hunk. */
export interface HeaderNumbers {
  /** Index from 0 of the first old line; where the hunk has none, of the line behind it. */
  readonly index: number;
  readonly oldCount?: number;
  readonly newCount?: number;
}

/** The numbers of `@@ -12,3 +12,4 @@`, as far as they can be read. */
export function startOf(header: string): HeaderNumbers | undefined {
  const found = /^@@ -(\d{1,9})(?:,(\d{1,9}))?(?: \+\d{1,9}(?:,(\d{1,9}))? @@)?/.exec(header);
  if (found === null) return undefined;
  const [whole, line, oldCount = '1', newCount = '1'] = found;
  const index = Math.max(0, Number(line) - (oldCount === '0' ? 0 : 1));
  return whole.endsWith('@@') ? { index, oldCount: Number(oldCount), newCount: Number(newCount) } : { index };
}

/** The text of an `@@ text` line without numbers: a line above the hunk. Nothing for `@@` and `@@ ... @@`. */
export function anchorOf(header: string): string | undefined {
  if (startOf(header) !== undefined) return undefined;
  const text = header.slice(2).trim();
  const anchor = (text.endsWith('@@') ? text.slice(0, -2) : text).trim();
  return /^[.…\s]*$/.test(anchor) ? undefined : anchor;
}
