import type { Declaration } from '../../coordinator/contract.js';
import type { ControlPlane } from '../../coordinator/control-plane-contract.js';
import type { Parts } from '../../coordinator/parts.js';
import { exportPlan } from '../../coordinator/plan.js';
import { planTooLarge } from '../../domain/plan-size.js';
import { type Code, isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { Status } from '../../domain/scope.js';
import { type PlanFault, parsePlan } from '../../wire/plan.js';
import { fail, print, printJson, safe, safeLines, table } from '../output.js';
import { person } from '../person.js';
import { readYaml, type Yaml, type YamlFault } from '../yaml.js';

const MAX_BYTES = 4_000_000;
const SHOWN_FAULTS = 20;
const SHOWN_ROWS = 50;

/** `scopes import`: opens all scopes of a plan, or none. */
export async function importPlan(plane: ControlPlane, path: string, json: boolean): Promise<void> {
  const file = await readYaml(path, MAX_BYTES);
  const name = path === '-' ? 'the standard input' : path;
  if ('fault' in file) return fail(unread(name, file));
  const plan = parsePlan(file.value);
  if (!('scopes' in plan)) return fail(faulty(name, file, plan));
  const ids = await plane.declare(person(), plan.scopes);
  if (isRefusal(ids)) return fail(placed(name, file, ids));
  const opened = plan.scopes.map(({ key, title }, at) => ({ id: ids[at] ?? '', ...(key ? { key } : {}), title }));
  if (json) printJson({ scopes: opened });
  else if (opened.length === 0) print('The plan has no scopes.');
  else show(opened);
}

function show(opened: readonly { readonly id: string; readonly key?: string; readonly title: string }[]): void {
  const rows = opened.slice(0, SHOWN_ROWS).map(({ id, key, title }) => [id, safe(key ?? ''), safe(title)]);
  print(table([['scope', 'key', 'title'], ...rows]));
  if (opened.length > SHOWN_ROWS) print(`… and ${opened.length - SHOWN_ROWS} more`);
}

const CODES: { readonly [fault in YamlFault['fault']]: Code } = {
  missing: 'NOT_FOUND',
  unreadable: 'INVALID',
  too_large: 'LIMIT',
  malformed: 'INVALID',
};

function unread(name: string, { fault, reason }: YamlFault): Refusal {
  const next = fault === 'too_large' ? 'Split the plan.' : 'Name a file with one YAML document, or - for the input.';
  return refuse(CODES[fault], `${name}: ${reason}`, next, { file: name });
}

function faulty(name: string, file: Yaml, faults: readonly PlanFault[]): Refusal {
  const lines = faults
    .slice(0, SHOWN_FAULTS)
    .map(({ place, reason }) => `${name}:${file.lineOf(place)}: ${place || 'the plan'}: ${reason}`);
  if (faults.length > SHOWN_FAULTS) lines.push(`… and ${faults.length - SHOWN_FAULTS} more`);
  return refuse('INVALID', lines.join('\n'), NOTHING, { file: name });
}

const NOTHING = 'Nothing was imported. Put the plan right and import it again.';

/** A refusal of a rule, with the place in the file that it is about. */
function placed(name: string, file: Yaml, refusal: Refusal): Refusal {
  const { argument } = refusal.facts;
  const place = typeof argument === 'string' ? `${name}:${file.lineOf(argument)}: ${argument}` : name;
  return { ...refusal, sentence: `${place}: ${refusal.sentence}`, next: `${refusal.next} Nothing was imported.` };
}

/** `scopes export`: the plan of the workspace as one document, which `scopes import` takes. */
export async function printPlan(parts: Parts, status: Status | undefined, json: boolean): Promise<void> {
  const { scopes, left } = await exportPlan(parts, status);
  for (const { scope, names, as } of left) warn(`${scope} names ${names} as ${as}, which is not in the plan: left out`);
  const text = json ? `${JSON.stringify({ version: 1, scopes })}\n` : await planText(scopes);
  const excess = planTooLarge(parts.settings, scopes)?.sentence ?? tooManyBytes(text);
  if (excess !== undefined)
    warn(`import takes this in parts only (--status open leaves out what has ended): ${excess}`);
  // What goes to a file has to stay what it is.
  process.stdout.write(process.stdout.isTTY && !json ? safeLines(text) : text);
}

function tooManyBytes(text: string): string | undefined {
  const size = Buffer.byteLength(text);
  if (size <= MAX_BYTES) return undefined;
  return `A plan has at most ${MAX_BYTES / 1_000_000} MB; this one has ${(size / 1_000_000).toFixed(1)}.`;
}

function warn(sentence: string): void {
  process.stderr.write(`signalbox: ${sentence}\n`);
}

/** A plan as YAML. */
export async function planText(scopes: readonly Declaration[]): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify({ version: 1, scopes }, { aliasDuplicateObjects: false, lineWidth: 0 });
}
