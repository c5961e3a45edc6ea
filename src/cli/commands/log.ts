import type { Parts } from '../../coordinator/parts.js';
import { isRefusal } from '../../domain/refusal.js';
import { artifactText, endedRun } from '../ended-run.js';
import { fail, print, printJson, safeLines } from '../output.js';

/** `log`: what a command printed, as it is kept. Colours and control characters were left out when it was recorded. */
export async function log(parts: Parts, id: string, json: boolean): Promise<void> {
  const row = await endedRun(parts, id);
  if (isRefusal(row)) return fail(row);
  const { run, scope, agent, command, log: hash, output } = row;
  const text = await artifactText(parts, hash);
  if (isRefusal(text)) return fail(text);
  if (json) return printJson({ run, scope, agent, command, artifact: hash, bytes: output, log: text });
  if (text === '') return print(`${run} printed nothing.`);
  process.stdout.write(process.stdout.isTTY ? safeLines(text) : text);
}
