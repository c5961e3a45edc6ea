import { isRefusal, type Refusal } from '../../domain/refusal.js';
import { readName } from './diff-names.js';
import { operationOf, type Section } from './diff-section.js';
import { type Body, checkHunk, dropEmpty, type Hunk, takeLine } from './hunk.js';
import { anchorOf, type HeaderNumbers, numbersOf } from './hunk-header.js';
import { invalid, type Operation } from './operation.js';

/** The lines of a unified diff, with or without git's headers → operations. Text in front of the first header is skipped. */
export function parseUnified(lines: readonly string[]): Operation[] | Refusal {
  const operations: Operation[] = [];
  let sections = 0;
  for (let at = 0; at < lines.length; ) {
    const line = lineAt(lines, at);
    if (line.startsWith('@@')) return wrong(at, '"--- a/path" and "+++ b/path" before a hunk', 'a hunk without a file');
    if (!line.startsWith('diff --') && !startsPair(lines, at)) {
      at++;
      continue;
    }
    const section = readSection(lines, at);
    if (isRefusal(section)) return section;
    const operation = operationOf(section);
    if (isRefusal(operation)) return operation;
    if (operation !== undefined) operations.push(operation);
    sections++;
    at = section.end;
  }
  if (operations.length > 0) return operations;
  if (sections > 0) return wrong(0, 'a diff that changes the text or the name of a file', 'file modes only');
  return wrong(0, 'a unified diff or a "*** Begin Patch" text', 'neither');
}

function lineAt(lines: readonly string[], at: number): string {
  const line = lines[at] ?? '';
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function startsPair(lines: readonly string[], at: number): boolean {
  return lineAt(lines, at).startsWith('--- ') && lineAt(lines, at + 1).startsWith('+++ ');
}

/** One file's part of the diff: its headers up to the names, then its hunks. */
function readSection(lines: readonly string[], start: number): Section | Refusal {
  let at = start;
  const git = lineAt(lines, at).startsWith('diff --') ? lineAt(lines, at++) : '';
  const extended: string[] = [];
  while (git !== '' && at < lines.length && !startsPair(lines, at) && !/^(?:@@|diff --)/.test(lineAt(lines, at))) {
    extended.push(lineAt(lines, at++));
  }
  const names: string[] = [];
  for (const end = startsPair(lines, at) ? at + 2 : at; at < end; at++) {
    const name = readName(lineAt(lines, at).slice(4));
    if (name === null) return wrong(at, 'a file name, quoted as git does', lineAt(lines, at).slice(0, 80));
    names.push(name.name);
  }
  const hunks = readHunks(lines, at, names[1] ?? '');
  if (isRefusal(hunks)) return hunks;
  return { diffLine: start + 1, git, extended, names, ...hunks };
}

function readHunks(lines: readonly string[], start: number, path: string): Pick<Section, 'hunks' | 'end'> | Refusal {
  const hunks: Hunk[] = [];
  let at = start;
  while (lineAt(lines, at).startsWith('@@')) {
    if (lineAt(lines, at).startsWith('@@@'))
      return wrong(at, 'a diff against one parent', 'a combined diff of a merge');
    const read = readHunk(lines, at);
    at = read.end;
    if (read.hunk === undefined) continue;
    const refusal = checkHunk(read.hunk, path);
    if (refusal !== undefined) return refusal;
    hunks.push(read.hunk);
  }
  if (hunks.length > 0 && at < lines.length && !endsSection(lines, at)) {
    const got = JSON.stringify(lineAt(lines, at).slice(0, 80));
    return wrong(at, 'a line that begins with a space, +, - or @@', got);
  }
  return { hunks, end: at };
}

/** Whether a line that is no part of a hunk may follow one. */
function endsSection(lines: readonly string[], at: number): boolean {
  return startsPair(lines, at) || /^(?:diff |Index: |={10}|Only in |From |Binary files |-- )/.test(lineAt(lines, at));
}

function readHunk(lines: readonly string[], start: number): { readonly hunk?: Hunk; readonly end: number } {
  const header = lineAt(lines, start);
  const numbers = numbersOf(header);
  const anchor = anchorOf(header);
  const body: Body = { lines: [], empty: 0 };
  let at = start + 1;
  for (; at < lines.length; at++) {
    const line = String(lines[at]);
    if (line.startsWith('@@') || isOver(lines, at, body, numbers) || takeLine(body, line) === 'end') break;
  }
  dropEmpty(body, numbers?.oldCount ?? 0);
  if (body.lines.length === 0) return { end: at };
  const anchors = anchor === undefined ? [] : [anchor];
  return { hunk: { lines: body.lines, anchors, atEnd: false, diffLine: start + 1 }, end: at };
}

/**
 * A removed line `-- x` looks like a file header `--- x`, and a mail's signature like a removed line. Headers are
 * recognised by three lines in a row, unless taking the first two as changes gives exactly the counts of the hunk.
 */
function isOver(lines: readonly string[], at: number, body: Body, numbers: HeaderNumbers | undefined): boolean {
  const line = lineAt(lines, at);
  if (!line.startsWith('--')) return false;
  const isSignature = line === '-- ' && /^\d+\./.test(lineAt(lines, at + 1));
  const isHeader = startsPair(lines, at) && lineAt(lines, at + 2).startsWith('@@');
  if (!isSignature && !isHeader) return false;
  const left = leftOf(body, numbers);
  if (isSignature) return left?.old === 0 && left.new === 0;
  return left?.old !== 1 || left.new !== 1;
}

/** How many lines the header still promises. */
function leftOf(
  body: Body,
  numbers: HeaderNumbers | undefined,
): { readonly old: number; readonly new: number } | undefined {
  if (numbers?.oldCount === undefined || numbers.newCount === undefined) return undefined;
  const added = body.lines.filter(({ sign }) => sign === '+').length;
  const removed = body.lines.filter(({ sign }) => sign === '-').length;
  const context = body.lines.length - added - removed;
  return { old: numbers.oldCount - context - removed, new: numbers.newCount - context - added };
}

function wrong(at: number, expected: string, got: string): Refusal {
  const next = 'Correct the diff and call patch again, or pass the change as edits with old_string and new_string.';
  return invalid({ diffLine: at + 1 }, { argument: 'diff', expected, got, next });
}
