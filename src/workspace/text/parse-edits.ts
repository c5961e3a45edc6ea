import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { MAX_EDITS } from './limits.js';
import { invalid, type Operation, type TextChange, type Wrong } from './operation.js';
import { isWellFormed } from './text.js';

/** One edit as an agent gives it. */
export interface Edit {
  readonly path: string;
  readonly old_string?: string;
  readonly new_string?: string;
  readonly replace_all?: boolean;
  readonly content?: string;
  readonly delete?: boolean;
  readonly move_to?: string;
  readonly base?: string;
}

/** Characters of a version that name it well enough. */
const MIN_BASE = 10;

/** Edits → operations, in order. Refuses contradictions as INVALID, naming the argument, and too many as LIMIT. */
export function parseEdits(edits: readonly Edit[]): Operation[] | Refusal {
  if (edits.length > MAX_EDITS) {
    return refuse('LIMIT', `${edits.length} edits are more than ${MAX_EDITS}.`, 'Split them into several patches.');
  }
  if (edits.length === 0) {
    const next = 'Pass edits: [{path, old_string, new_string}], or diff.';
    return refuse('INVALID', 'edits is empty.', next, {
      argument: 'edits',
      expected: 'at least one edit',
      got: 'none',
    });
  }
  const operations: Operation[] = [];
  for (const [index, edit] of edits.entries()) {
    const operation = parseEdit(edit, index + 1);
    if (isRefusal(operation)) return operation;
    operations.push(operation);
  }
  return operations;
}

function parseEdit(edit: Edit, number: number): Operation | Refusal {
  const source = { edit: number };
  const wrong = contradiction(edit) ?? badText(edit);
  if (wrong !== undefined) return invalid(source, { path: edit.path, ...wrong });
  const change = changeOf(edit);
  return {
    source,
    path: edit.path,
    ...(change === undefined ? {} : { change }),
    ...(edit.delete === true ? { delete: true } : {}),
    ...(edit.move_to === undefined ? {} : { moveTo: edit.move_to }),
    ...(edit.base === undefined ? {} : { base: edit.base }),
  };
}

function changeOf(edit: Edit): TextChange | undefined {
  if (edit.content !== undefined) return { kind: 'content', text: edit.content };
  if (edit.old_string === undefined || edit.new_string === undefined) return undefined;
  return { kind: 'replace', old: edit.old_string, new: edit.new_string, all: edit.replace_all === true };
}

const ONE_WAY =
  'Pass either old_string and new_string, or content, or delete: true, or move_to (alone or with old_string).';

/** What an edit says of one thing, it must not say of another. */
function contradiction(edit: Edit): Omit<Wrong, 'path'> | undefined {
  const { old_string: old, new_string: young, content, move_to: moveTo } = edit;
  const given = Object.entries({ content, old_string: old, new_string: young, move_to: moveTo })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const [also] = given.filter((name) => name !== 'content');
  if (edit.delete === true && given.length > 0) {
    return { argument: 'delete', expected: 'nothing beside it but base', got: given.join(', '), next: ONE_WAY };
  }
  if (content !== undefined && also !== undefined) {
    return { argument: also, expected: 'nothing beside content but base', got: `content and ${also}`, next: ONE_WAY };
  }
  if (given.length === 0 && edit.delete !== true) {
    return { argument: 'edit', expected: 'a change', got: 'a path alone', next: ONE_WAY };
  }
  if (old === undefined && (young !== undefined || edit.replace_all === true)) {
    const got = young === undefined ? 'replace_all alone' : 'new_string alone';
    return {
      argument: 'old_string',
      expected: 'the text to replace',
      got,
      next: 'Pass old_string too, or content for a whole file.',
    };
  }
  if (old !== undefined && young === undefined) {
    const next = 'Pass new_string too; an empty one removes the text.';
    return { argument: 'new_string', expected: 'the text to put in its place', got: 'nothing', next };
  }
  return undefined;
}

function badText(edit: Edit): Omit<Wrong, 'path'> | undefined {
  const { old_string: old, new_string: young, content, base } = edit;
  if (old === '') {
    const next = 'Pass content to create a file or replace the whole of it; name the text to replace otherwise.';
    return { argument: 'old_string', expected: 'a text that is not empty', got: 'an empty one', next };
  }
  if (old !== undefined && old === young) {
    return {
      argument: 'new_string',
      expected: 'another text than old_string',
      got: 'the same',
      next: 'Leave this edit out.',
    };
  }
  for (const [argument, text] of Object.entries({ old_string: old, new_string: young, content })) {
    if (text !== undefined && !isWellFormed(text)) {
      const got = 'half a surrogate pair';
      return { argument, expected: 'text that has a UTF-8 form', got, next: 'Send whole characters.' };
    }
  }
  if (base !== undefined && base.length < MIN_BASE) {
    const next = 'Pass the first 10 characters of the version that read returned, or all of it.';
    return { argument: 'base', expected: `${MIN_BASE} or more characters of a version`, got: `${base.length}`, next };
  }
  return undefined;
}
