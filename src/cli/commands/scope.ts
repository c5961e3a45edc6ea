import type { ArtifactRecord, ControlPlane, ScopeDetail } from '../../coordinator/control-plane-contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, paint, print, printJson, safe, shortHash } from '../output.js';
import { person } from '../person.js';

const LABEL = 11;

/** `scope show`: all that is known of a scope. */
export async function showScope(plane: ControlPlane, given: string, json: boolean): Promise<void> {
  const scope = await plane.scope(person(), given);
  if (isRefusal(scope)) return fail(scope);
  if (json) return printJson(scope);
  print(`${paint('bold', scope.id)}  ${stateOf(scope)}  ${safe(scope.title)}`);
  for (const [label, lines] of [...contract(scope), ...standing(scope), ...work(scope)]) show(label, lines);
}

type Part = readonly [label: string, lines: readonly string[]];

function show(label: string, lines: readonly string[]): void {
  const all = lines.flatMap((line) => line.trimEnd().split('\n'));
  for (const [at, line] of all.entries())
    print(`${paint('dim', (at === 0 ? label : '').padEnd(LABEL))}  ${safe(line)}`.trimEnd());
}

function stateOf({ status, stopping, undone_by: undone }: ScopeDetail): string {
  return `${status}${stopping === undefined ? '' : ' (stopping)'}${undone === undefined ? '' : ` (undone by ${undone})`}`;
}

function one(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}

function row(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [names.join(' ')];
}

function contract(scope: ScopeDetail): Part[] {
  const { phase, priority, note, units, consumes, produces, inputs, parent, children, cause, conflict } = scope;
  return [
    ['phase', [`${phase}, priority ${priority}`]],
    ['note', one(note)],
    ['units', units],
    ['consumes', row(consumes)],
    ['produces', produces.map(({ path, type }) => (type === 'file' ? path : `${path} (${type})`))],
    ['inputs', inputs],
    ['non-goals', scope.non_goals],
    ['done', scope.done],
    ['checks', scope.checks],
    ['parent', one(parent)],
    ['children', row(children)],
    ['cause', one(cause)],
    ['conflict', conflict === undefined ? [] : [`between ${conflict.between.join(' ')}`, ...conflict.paths]],
  ];
}

function standing(scope: ScopeDetail): Part[] {
  const { agent, stopping, locks, queue, handover, attempts, notes, blocked_on: blocked = [] } = scope;
  const ahead = queue?.ahead.map(({ id, agent: who, units }) => `behind ${id} (${who}): ${units.join(' ')}`) ?? [];
  return [
    ['owner', one(agent)],
    ['stopping', one(stopping)],
    ['holds', locks.map(({ unit, mode, generation }) => `${unit} (${mode}, generation ${generation})`)],
    [
      'queue',
      queue === undefined ? [] : [`place ${queue.position} for ${queue.units.join(' ')} (${queue.mode})`, ...ahead],
    ],
    ['waits for', row(blocked)],
    ['attempts', [String(attempts), ...scope.history.map(pastLine)]],
    ['hand-over', handover === undefined ? [] : [`from ${handover.from}: ${handover.note}`]],
    ['notes', notes.map(({ from, text }) => `${from}: ${text}`)],
    ['opened', [`${scope.opened_at} by ${scope.opened_by}`]],
    ['updated', [scope.updated_at]],
  ];
}

function pastLine({ how, agent, reason, at }: ScopeDetail['history'][number]): string {
  return `${at} ${how}${agent === undefined ? '' : ` by ${agent}`}: ${reason}`;
}

function work({ summary, commit, artifacts, changes, runs }: ScopeDetail): Part[] {
  const version = (hash: string | null) => (hash === null ? 'none' : shortHash(hash));
  return [
    ['summary', one(summary)],
    ['commit', one(commit)],
    ['outputs', artifacts.map(outputLine)],
    ['changes', changes.map(({ path, before, after }) => `${path}  ${version(before)} → ${version(after)}`)],
    [
      'commands',
      runs.map(({ run, state, command, log, diff }) =>
        [run, state, command, ...one(log && `log ${shortHash(log)}`), ...one(diff && `diff ${shortHash(diff)}`)].join(
          '  ',
        ),
      ),
    ],
  ];
}

function outputLine({ id, type, path, hash, run, commit, inputs, superseded_by: successor }: ArtifactRecord): string {
  const from = [...inputs.references, ...inputs.artifacts.map((input) => `${input.id} (${input.scope})`)];
  return [
    id,
    type,
    ...one(path),
    shortHash(hash),
    ...one(run && `by ${run}`),
    ...one(commit && `in ${shortHash(commit)}`),
    ...one(successor && `superseded by ${successor}`),
    ...(from.length === 0 ? [] : [`from ${from.join(' ')}`]),
  ].join('  ');
}
