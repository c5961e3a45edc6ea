import { quoteName } from './diff-names.js';
import { coarseChange, type LineChange, lineChanges } from './line-changes.js';
import { decodeText, splitLines } from './text.js';

export interface DifferenceOptions {
  readonly path: string;
  /** Unchanged lines around each change; 3 where left out. At least 1: a hunk of new lines alone has no place. */
  readonly context?: number;
  /** Cuts the text after so many lines, and each line after 500 characters, and says so. Such a text is for reading only. */
  readonly maxLines?: number;
}

const MAX_LINE = 500;
/** Longer lists of lines are shown as one change. */
const MAX_COMPARED_LINES = 200_000;

/**
 * What changed, as a unified diff that `parseDiff` and `git apply` take; null stands for "no file", and nothing changed
 * gives an empty text. Where texts differ too much to compare in bounded time, one hunk shows all that lies between
 * their common start and end.
 */
export function difference(before: Uint8Array | null, after: Uint8Array | null, options: DifferenceOptions): string {
  const old = before === null ? '' : decodeText(before);
  const young = after === null ? '' : decodeText(after);
  const header = headerOf(before === null, after === null, options.path);
  if (old === null || young === null) return isSame(before, after) ? '' : `${header.git}\nBinary files differ\n`;
  if (old === young && (before === null) === (after === null)) return '';
  const oldLines = splitLines(old);
  const newLines = splitLines(young);
  const hunks = hunksOf(changesOf(oldLines, newLines), oldLines, newLines, Math.max(1, options.context ?? 3));
  const created = before === null || after === null;
  return cut(
    [...(created ? header.extended : []), ...(hunks.length === 0 ? [] : header.names), ...hunks],
    options.maxLines,
  );
}

function headerOf(
  creates: boolean,
  deletes: boolean,
  path: string,
): { git: string; extended: string[]; names: string[] } {
  const a = quoteName(`a/${path}`);
  const b = quoteName(`b/${path}`);
  const git = `diff --git ${a} ${b}`;
  // git, too, ends a name that holds a space with a tab.
  const tab = path.includes(' ') ? '\t' : '';
  return {
    git,
    extended: [git, creates ? 'new file mode 100644' : 'deleted file mode 100644'],
    names: [creates ? '--- /dev/null' : `--- ${a}${tab}`, deletes ? '+++ /dev/null' : `+++ ${b}${tab}`],
  };
}

function isSame(before: Uint8Array | null, after: Uint8Array | null): boolean {
  return before !== null && after !== null && Buffer.compare(before, after) === 0;
}

function changesOf(before: readonly string[], after: readonly string[]): LineChange[] {
  const few = before.length + after.length <= MAX_COMPARED_LINES;
  const changes = few ? lineChanges(before, after) : null;
  if (changes !== null) return changes;
  return [coarseChange(before, after)];
}

/** Changes with little between them. */
type Group = [LineChange, ...LineChange[]];

function hunksOf(
  changes: readonly LineChange[],
  old: readonly string[],
  young: readonly string[],
  context: number,
): string[] {
  const groups: Group[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    const group = groups.at(-1);
    if (group === undefined || change.from - end > 2 * context) groups.push([change]);
    else group.push(change);
    end = change.to;
  }
  return groups.flatMap((group) => hunkOf(group, old, young, context));
}

function hunkOf(group: Group, old: readonly string[], young: readonly string[], context: number): string[] {
  const [first] = group;
  const start = Math.max(0, first.from - context);
  const parts: string[][] = [];
  let at = start;
  let growth = 0;
  for (const { from, to, newFrom, newTo } of group) {
    parts.push(
      signed(' ', old.slice(at, from)),
      signed('-', old.slice(from, to)),
      signed('+', young.slice(newFrom, newTo)),
    );
    growth += newTo - newFrom - (to - from);
    at = to;
  }
  const end = Math.min(old.length, at + context);
  parts.push(signed(' ', old.slice(at, end)));
  const ranges = [range('-', start, end - start), range('+', start + first.newFrom - first.from, end - start + growth)];
  return [`@@ ${ranges.join(' ')} @@`, ...parts.flat()];
}

function signed(sign: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n') ? [`${sign}${line.slice(0, -1)}`] : [`${sign}${line}`, '\\ No newline at end of file'],
  );
}

/** Where a side has no lines, the number is that of the line in front. */
function range(sign: string, start: number, count: number): string {
  return `${sign}${count === 0 ? start : start + 1},${count}`;
}

function cut(lines: readonly string[], maxLines: number | undefined): string {
  if (maxLines === undefined) return lines.map((line) => `${line}\n`).join('');
  const shown = lines.slice(0, maxLines).map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
  if (lines.length > maxLines) shown.push(`… ${lines.length - maxLines} more lines`);
  return shown.map((line) => `${line}\n`).join('');
}
