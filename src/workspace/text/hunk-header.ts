/** What a numbered hunk header says. The counts help to see where the hunk ends; where it points, nothing asks. */
export interface HeaderNumbers {
  readonly oldCount?: number;
  readonly newCount?: number;
}

/** The numbers of `@@ -12,3 +12,4 @@`, as far as they can be read. */
export function numbersOf(header: string): HeaderNumbers | undefined {
  const found = /^@@ -\d{1,9}(?:,(\d{1,9}))?(?: \+\d{1,9}(?:,(\d{1,9}))? @@)?/.exec(header);
  if (found === null) return undefined;
  const [whole, oldCount = '1', newCount = '1'] = found;
  return whole.endsWith('@@') ? { oldCount: Number(oldCount), newCount: Number(newCount) } : {};
}

/** The text of an `@@ text` line without numbers: a line above the hunk. Nothing for `@@` and `@@ ... @@`. */
export function anchorOf(header: string): string | undefined {
  if (numbersOf(header) !== undefined) return undefined;
  const text = header.slice(2).trim();
  const anchor = (text.endsWith('@@') ? text.slice(0, -2) : text).trim();
  return /^[.…\s]*$/.test(anchor) ? undefined : anchor;
}
