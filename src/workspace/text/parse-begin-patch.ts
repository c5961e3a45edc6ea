import { isRefusal, type Refusal } from '../../domain/refusal.js';
import { type Body, checkHunk, dropEmpty, type Hunk, takeLine } from './hunk.js';
import { anchorOf } from './hunk-header.js';
import { invalid, type Operation } from './operation.js';

export const BEGIN_PATCH = '*** Begin Patch';
const END_PATCH = '*** End Patch';
const ADD = '*** Add File:';
const UPDATE = '*** Update File:';
const DELETE = '*** Delete File:';
const MOVE = '*** Move to:';
const END_OF_FILE = '*** End of File';

/** The lines being read, and how far reading has come. */
interface Cursor {
  readonly lines: readonly string[];
  at: number;
}

/** The lines of a `*** Begin Patch` text, which begins at index `first` → operations. */
export function parseBeginPatch(lines: readonly string[], first: number): Operation[] | Refusal {
  const cursor: Cursor = { lines, at: first + 1 };
  const operations: Operation[] = [];
  for (;;) {
    const line = lineAt(cursor);
    if (line === undefined) return wrong(cursor, END_PATCH, 'the end of the text: it seems to be cut off');
    if (line === END_PATCH) break;
    if (line === '') {
      cursor.at++;
      continue;
    }
    const operation = parseFile(cursor, line);
    if (isRefusal(operation)) return operation;
    operations.push(operation);
  }
  cursor.at++;
  const rest = lines.slice(cursor.at).findIndex((line) => line.trim() !== '');
  if (rest !== -1) {
    cursor.at += rest;
    return wrong(cursor, `nothing behind ${END_PATCH}`, quoted(cursor));
  }
  if (operations.length === 0) return wrong(cursor, 'at least one "*** Add, Update or Delete File: path"', 'none');
  return operations;
}

function parseFile(cursor: Cursor, line: string): Operation | Refusal {
  const source = { diffLine: cursor.at + 1 };
  for (const [header, parse] of PARSERS) {
    if (!line.startsWith(header)) continue;
    const path = line.slice(header.length).trim();
    if (path === '') return wrong(cursor, `a path behind "${header}"`, 'nothing');
    cursor.at++;
    const parsed = parse(cursor, path);
    return isRefusal(parsed) ? parsed : { source, path, ...parsed };
  }
  return wrong(cursor, `"${ADD}", "${UPDATE}", "${DELETE}" or "${END_PATCH}"`, quoted(cursor));
}

type Parsed = Omit<Operation, 'source' | 'path'> | Refusal;

const PARSERS: readonly (readonly [string, (cursor: Cursor, path: string) => Parsed])[] = [
  [ADD, parseAdd],
  [UPDATE, parseUpdate],
  [DELETE, () => ({ delete: true })],
];

function parseAdd(cursor: Cursor): Parsed {
  const added: string[] = [];
  for (; ; cursor.at++) {
    const line = cursor.lines[cursor.at];
    if (line?.startsWith('+') !== true) break;
    added.push(`${line.slice(1)}\n`);
  }
  const line = lineAt(cursor);
  if (line !== undefined && line !== '' && !line.startsWith('*** ')) {
    return wrong(cursor, 'lines that begin with + in a new file', quoted(cursor));
  }
  return { change: { kind: 'content', text: added.join('') } };
}

function parseUpdate(cursor: Cursor, path: string): Parsed {
  const line = lineAt(cursor);
  const moveTo = line?.startsWith(MOVE) ? line.slice(MOVE.length).trim() : undefined;
  if (moveTo === '') return wrong(cursor, `a path behind "${MOVE}"`, 'nothing');
  if (moveTo !== undefined) cursor.at++;
  const hunks = parseHunks(cursor, path);
  if (isRefusal(hunks)) return hunks;
  if (hunks.length === 0 && moveTo === undefined) {
    return wrong(cursor, `at least one hunk with + or - lines for ${path}`, 'none');
  }
  return { change: { kind: 'hunks', hunks }, ...(moveTo === undefined ? {} : { moveTo }) };
}

function parseHunks(cursor: Cursor, path: string): Hunk[] | Refusal {
  const hunks: Hunk[] = [];
  for (;;) {
    const hunk = parseHunk(cursor);
    if (hunk === undefined) break;
    const refusal = checkHunk(hunk, path);
    if (refusal !== undefined) return refusal;
    hunks.push(hunk);
  }
  const line = lineAt(cursor);
  if (line === undefined || line.startsWith('*** ')) return hunks;
  return wrong(cursor, 'a line that begins with a space, +, - or @@', quoted(cursor));
}

/** `@@` lines (none in front of the first hunk), the hunk's lines, and perhaps `*** End of File`. */
function parseHunk(cursor: Cursor): Hunk | undefined {
  const diffLine = cursor.at + 1;
  const anchors: string[] = [];
  for (let line = lineAt(cursor); line?.startsWith('@@'); line = lineAt(cursor)) {
    const anchor = anchorOf(line);
    if (anchor !== undefined) anchors.push(anchor);
    cursor.at++;
  }
  const body: Body = { lines: [], empty: 0 };
  for (; cursor.at < cursor.lines.length; cursor.at++) {
    const line = cursor.lines[cursor.at];
    if (line === undefined || line.startsWith('@@') || takeLine(body, line) === 'end') break;
  }
  dropEmpty(body, 0);
  const atEnd = lineAt(cursor) === END_OF_FILE;
  if (atEnd) cursor.at++;
  if (body.lines.length === 0) return undefined;
  return { lines: body.lines, anchors, atEnd, diffLine };
}

/** The line that comes next, without white space at its end. */
function lineAt(cursor: Cursor): string | undefined {
  return cursor.lines[cursor.at]?.trimEnd();
}

function quoted(cursor: Cursor): string {
  return JSON.stringify(String(lineAt(cursor)).slice(0, 80));
}

function wrong(cursor: Cursor, expected: string, got: string): Refusal {
  const next = 'Correct the diff and call patch again, or pass the change as edits with old_string and new_string.';
  return invalid({ diffLine: cursor.at + 1 }, { argument: 'diff', expected, got, next });
}
