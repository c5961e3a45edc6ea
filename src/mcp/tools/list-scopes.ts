import type { ListedRun, ListedScope, ListInput, ListOutput, PastAttempt } from '../../coordinator/contract.js';
import { listInput } from '../../wire/inputs.js';
import { inline, joined, lines } from '../lists.js';
import { plain, short } from '../notation.js';
import type { Tool } from '../tool.js';

const LONGEST_REASON = 200;

export const listScopes: Tool<ListInput, ListOutput> = {
  name: 'list_scopes',
  title: 'List scopes',
  description: 'See who works on what, what waits and what is open to claim. mine: true gives your own handles.',
  effect: 'look',
  schema: listInput,
  handler: (coordinator, caller, input) => coordinator.list(caller, input),
  text: ({ scopes, runs = [], seq, more, note }) =>
    joined([
      scopes.length === 0 ? `No scopes (event ${seq}).` : `Scopes (event ${seq}):`,
      ...lines(scopes, scopeLine, more),
      runs.length > 0 && 'Your commands without a scope:',
      ...lines(runs, runLine),
      note,
    ]),
};

function runLine({ run, command, state, log, diff }: ListedRun): string {
  const kept = [...(diff ? [`diff artifact:${short(diff)}`] : []), ...(log ? [`log artifact:${short(log)}`] : [])];
  return `${run} ${[state, ...kept].join(', ')}: ${plain(command)}`;
}

function scopeLine(scope: ListedScope): string {
  const owner = scope.agent === undefined ? '' : ` by ${scope.agent}`;
  return joined([
    `${scope.id} ${scope.status}${owner}, ${scope.phase}: "${scope.title}"`,
    scope.scope !== undefined && `    handle: ${scope.scope}`,
    scope.units.length > 0 && `    units: ${inline(scope.units)}${scope.mode === 'read' ? ' (to read)' : ''}`,
    listed('waiting for', scope.waiting_for),
    listed('blocked on', scope.blocked_on),
    scope.queue !== undefined && `    queue: ${scope.queue}`,
    listed('consumes', scope.consumes),
    listed('produces', scope.produces),
    scope.note !== undefined && `    note: ${indented(scope.note)}`,
    scope.summary !== undefined && `    summary: ${indented(scope.summary)}`,
    scope.attempts !== undefined && scope.attempts > 0 && `    given up or lost before: ${scope.attempts}`,
    ...(scope.history ?? []).map((attempt) => `    ${pastLine(attempt)}`),
    listed(
      'artifacts',
      scope.artifacts?.map(({ type, path, hash }) => `${path ?? type} artifact:${hash}`),
    ),
    scope.commit !== undefined && `    commit: ${scope.commit}`,
    scope.stopping !== undefined && `    stopping (${scope.stopping}): free when its runs have ended`,
    ...(scope.runs ?? []).map((run) => `    run ${runLine(run)}`),
  ]);
}

function pastLine({ how, agent, reason }: PastAttempt): string {
  const brief = reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
  return `${how}${agent === undefined ? '' : ` (${agent})`}: ${plain(brief)}`;
}

function listed(name: string, items: readonly string[] | undefined): string | undefined {
  return items === undefined || items.length === 0 ? undefined : `    ${name}: ${inline(items)}`;
}

/** Keeps a text of several lines inside the block of its scope. */
function indented(text: string): string {
  return text.replaceAll('\n', '\n      ');
}
