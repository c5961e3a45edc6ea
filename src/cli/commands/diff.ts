import { scopeDiff } from '../../coordinator/history.js';
import { liveScopes } from '../../coordinator/list.js';
import type { Parts } from '../../coordinator/parts.js';
import { unknownScope } from '../../domain/authority.js';
import { isRefusal } from '../../domain/refusal.js';
import { artifactText, endedRun } from '../ended-run.js';
import { knownScope } from '../known-scope.js';
import { fail, print, printJson, safeLines } from '../output.js';

/** What goes to a file or a program has to stay a patch that applies. */
const shown = (text: string): string => (process.stdout.isTTY ? safeLines(text) : text);

/** `diff`: what a scope changed, or what all live scopes did. */
export async function diff(parts: Parts, given: string | undefined, json: boolean): Promise<void> {
  const known = given === undefined ? undefined : await knownScope(parts, given);
  if (given !== undefined && known === undefined) return fail(unknownScope(given));
  const ids =
    known === undefined ? await parts.store.view({}, (view) => liveScopes(view).map(({ id }) => id)) : [known];
  const found = [];
  for (const id of ids) {
    const text = await scopeDiff(parts, id);
    if (text !== '') found.push({ scope: id, diff: text });
  }
  if (json) return printJson(found);
  for (const { scope, diff: text } of found) print(`# ${scope}\n${shown(text)}`);
}

/** `diff --run`: what a run changed, as it is kept. */
export async function runDiff(parts: Parts, id: string, json: boolean): Promise<void> {
  const row = await endedRun(parts, id);
  if (isRefusal(row)) return fail(row);
  const { run, scope, agent, diff: hash } = row;
  const text = await artifactText(parts, hash);
  if (isRefusal(text)) return fail(text);
  if (json) return printJson({ run, scope, agent, artifact: hash, diff: text });
  if (text === '') return print(`${run} changed nothing.`);
  process.stdout.write(shown(text));
}
