import { scopeDiff } from '../../coordinator/history.js';
import type { Parts } from '../../coordinator/parts.js';
import { unknownScope } from '../../domain/authority.js';
import { parseHandle } from '../../domain/handle.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, print, printJson, safeLines } from '../output.js';

/** `diff`: what a scope changed, or what all live scopes did. */
export async function diff(parts: Parts, given: string | undefined, json: boolean): Promise<void> {
  const ids = given === undefined ? await liveScopes(parts) : await knownScope(parts, given);
  if (ids === undefined) return fail(unknownScope(given ?? ''));
  const found = [];
  for (const id of ids) {
    const text = await scopeDiff(parts, id, { maxLines: 100_000 });
    if (isRefusal(text)) return fail(text);
    if (text !== '') found.push({ scope: id, diff: text });
  }
  if (json) return printJson(found);
  // What goes to a file or a program has to stay a patch that applies.
  const shown = process.stdout.isTTY ? safeLines : (text: string) => text;
  for (const { scope, diff: text } of found) print(`# ${scope}\n${shown(text)}`);
}

async function liveScopes(parts: Parts): Promise<string[]> {
  return parts.store.view({}, ({ state }) => [...state.scopes.keys()].sort());
}

async function knownScope(parts: Parts, given: string): Promise<string[] | undefined> {
  const id = parseHandle(given)?.id;
  if (id === undefined) return undefined;
  return parts.store.view({ scopes: [id] }, (view) => (view.scope(id) === undefined ? undefined : [id]));
}
