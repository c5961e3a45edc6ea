import { type Refusal, refuse } from '../../domain/refusal.js';
import { MAX_EDITS, MAX_HUNKS, MAX_RESULT } from './limits.js';
import { invalid, type Operation } from './operation.js';
import { BEGIN_PATCH, parseBeginPatch } from './parse-begin-patch.js';
import { parseUnified } from './parse-unified.js';
import { isWellFormed } from './text.js';

/**
 * A unified diff or a `*** Begin Patch` text → operations, in order. Refuses INVALID, BINARY or LIMIT; never throws.
 *
 * The parsers are our own: jsdiff trusts the counts in hunk headers, which models get wrong, throws where a reason
 * with its line is wanted, and takes a bare `@@` or a `*** Begin Patch` body for a diff that changes nothing.
 */
export function parseDiff(text: string): Operation[] | Refusal {
  if (text.length > MAX_RESULT) {
    return refuse('LIMIT', `The diff has ${text.length} characters, more than ${MAX_RESULT}.`, 'Send it in parts.');
  }
  if (!isWellFormed(text)) {
    const expected = 'text that has a UTF-8 form';
    return invalid(
      { diffLine: 1 },
      { argument: 'diff', expected, got: 'half a surrogate pair', next: 'Send whole characters.' },
    );
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const first = lines.findIndex((line) => line.trim() !== '');
  const operations = lines[first]?.trim() === BEGIN_PATCH ? parseBeginPatch(lines, first) : parseUnified(lines);
  return Array.isArray(operations) ? checkSize(operations) : operations;
}

function checkSize(operations: Operation[]): Operation[] | Refusal {
  const hunks = operations.reduce((sum, { change }) => sum + (change?.kind === 'hunks' ? change.hunks.length : 0), 0);
  const next = 'Split the diff into several patches.';
  if (operations.length > MAX_EDITS) {
    return refuse('LIMIT', `The diff is about ${operations.length} files, more than ${MAX_EDITS}.`, next);
  }
  if (hunks > MAX_HUNKS) return refuse('LIMIT', `The diff has ${hunks} hunks, more than ${MAX_HUNKS}.`, next);
  return operations;
}
