import { type Refusal, refuse } from '../../domain/refusal.js';
import type { Present } from './bases.js';
import { difference } from './difference.js';
import { invalid, type Operation, placeOf, sourceFacts } from './operation.js';

const SHOWN_VERSION = 10;
const SHOWN_LINES = 60;

/** A file as an operation would lose or change it. */
export interface Subject {
  /** Where the file stands on disk. */
  readonly path: string;
  readonly present: Present;
  /** The contents of the version that the agent named, where they are still known. */
  readonly former: Uint8Array | undefined;
}

/** STALE_BASE, with what changed since. `why` ends the sentence. */
export function staleBase(operation: Operation, base: string, subject: Subject, why: string): Refusal {
  const { path, present, former } = subject;
  const changes =
    former === undefined ? {} : { difference: difference(former, present.bytes, { path, maxLines: SHOWN_LINES }) };
  return refuse('STALE_BASE', `${path} is no longer at version ${base}, and ${why}.`, readAgain(path), {
    ...sourceFacts(operation.source),
    path,
    base,
    version: present.version.slice(0, SHOWN_VERSION),
    ...changes,
  });
}

/** STALE_BASE for a base whose file is not there any more. */
export function goneBase(operation: Operation, base: string): Refusal {
  const { path, source } = operation;
  const next = `If ${path} shall be there again, call patch with content and without base.`;
  return refuse('STALE_BASE', `${path} was at version ${base} and is gone.`, next, {
    ...sourceFacts(source),
    path,
    base,
    version: null,
  });
}

/**
 * INVALID: what makes a file disappear must name its version. The version itself is not told, because who has not read
 * the file cannot know what is lost.
 */
export function missingBase(operation: Operation, path: string): Refusal {
  const read = `Call read {"paths": [${JSON.stringify(path)}]} and pass the first 10 characters of its version as base`;
  const next =
    'edit' in operation.source
      ? `${read}.`
      : `A diff cannot name it: ${read.replace('Call', 'call')}, with edits instead of diff.`;
  const expected = `the version of ${path}, which exists and would be lost`;
  return invalid(operation.source, { path: operation.path, argument: 'base', expected, got: 'nothing', next });
}

export function notFound(operation: Operation): Refusal {
  const { path, source } = operation;
  const next = `Call read {"paths": ["."]} to see what is there, or pass content to create ${path}.`;
  return refuse('NOT_FOUND', `${path}, which ${placeOf(source)} is about, does not exist.`, next, {
    ...sourceFacts(source),
    path,
  });
}

export function binary(operation: Operation): Refusal {
  const { path, source } = operation;
  const next = 'Change it with a command given to run, or replace the whole file with content and base.';
  return refuse('BINARY', `${path} is a binary, so ${placeOf(source)} cannot change its text.`, next, {
    ...sourceFacts(source),
    path,
  });
}

function readAgain(path: string): string {
  return `Call read {"paths": [${JSON.stringify(path)}]} and make the change again from that version.`;
}
