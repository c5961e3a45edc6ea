import type { ClaimInput, ClaimOutput } from '../../coordinator/contract.js';
import { claimInput } from '../../wire/inputs.js';
import { inline, joined, lines } from '../lists.js';
import type { Tool } from '../tool.js';

export const claimScope: Tool<ClaimInput, ClaimOutput> = {
  name: 'claim_scope',
  title: 'Claim a scope',
  description:
    'Lock what you will change (files, folders, globs, processes), all or nothing, before the work. Waits its turn in a fair queue. Gives the scope handle for patch, run and publish_output. Status waiting: call again with that handle. Only phase, or nothing: takes up the next open scope.',
  effect: 'lock',
  schema: claimInput,
  handler: (coordinator, caller, input) => coordinator.claim(caller, input),
  text: (output) =>
    joined([
      `${output.id} is ${output.status}. Scope handle: ${output.scope}`,
      `Units: ${output.units.length === 0 ? 'none' : inline(output.units)} (generation ${output.generation})`,
      ...queue(output),
      output.blocked_on !== undefined &&
        output.blocked_on.length > 0 &&
        `Waits for the outputs of: ${inline(output.blocked_on)}`,
      ...failed(output),
      output.inputs !== undefined && output.inputs.length > 0 && 'Inputs (read artifact:<hash>):',
      ...lines(output.inputs ?? [], inputLine),
      ...handover(output),
      output.status === 'waiting'
        ? `Next: claim_scope ${JSON.stringify({ scope: output.scope })} to go on waiting.`
        : undefined,
    ]),
};

function queue({ queue }: ClaimOutput): string[] {
  if (queue === undefined) return [];
  const ahead = queue.ahead.length === 0 ? '.' : ', behind:';
  return [
    `Place ${queue.position} in the queue${ahead}`,
    ...lines(queue.ahead, ({ id, agent, title, units, until = [] }) => {
      const why = until.length > 0 ? ` (until ${inline(until)} has ended)` : '';
      return `${id} ${agent}, "${title}": ${inline(units)}${why}`;
    }),
  ];
}

function failed({ failed = [], scope, blocked_on = [] }: ClaimOutput): string[] {
  if (failed.length === 0) return [];
  const left = blocked_on.filter((id) => !failed.some((other) => other.id === id));
  return [
    'Inputs that failed:',
    ...lines(failed, ({ id, title, status, attempts, reason = 'no reason given' }) => {
      return `${id} "${title}" is ${status} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${reason}`;
    }),
    `Go on waiting for the next attempt; or go on without: claim_scope ${JSON.stringify({ scope, consumes: left })}; or give up: release_scope ${JSON.stringify({ scope })}.`,
  ];
}

function inputLine(input: NonNullable<ClaimOutput['inputs']>[number]): string {
  const path = input.path === undefined ? '' : ` ${input.path}`;
  const summary = input.summary === undefined ? '' : `: ${input.summary}`;
  return `${input.id} ${input.type}${path} of ${input.scope}, artifact:${input.hash}${summary}`;
}

function handover({ handover }: ClaimOutput): string[] {
  if (handover === undefined) return [];
  return [
    `Handed over from ${handover.from}: ${handover.note}`,
    ...(handover.diff === '' ? [] : ['Changes made so far:', handover.diff.replace(/\n$/, '')]),
  ];
}
