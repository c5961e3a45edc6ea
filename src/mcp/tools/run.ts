import type { RunInput, RunOutput } from '../../coordinator/contract.js';
import { runInput } from '../../wire/inputs.js';
import { joined, lines } from '../lists.js';
import { plain, short } from '../notation.js';
import type { Tool } from '../tool.js';

export const run: Tool<RunInput, RunOutput> = {
  name: 'run',
  title: 'Run a command',
  description:
    'Run a shell command in the workspace: tests, builds, git grep, git log. With a scope, what it writes in your units or in free paths is kept; the rest is rejected and listed. With run instead of command: read, await or stop an earlier run.',
  effect: 'execute',
  schema: runInput,
  handler: (coordinator, caller, input) => coordinator.run(caller, input),
  // The facts come first: nothing that a command prints can then pass for one of them.
  text: (output) =>
    joined([
      `${output.run} ${ending(output)} (containment: ${output.containment})`,
      output.changed.length > 0 && 'Changed:',
      ...lines(
        output.changed,
        ({ path, version }) => `${plain(path)} (${version === null ? 'deleted' : short(version)})`,
        output.more_changed,
      ),
      output.rejected.length > 0 && 'Rejected, not kept:',
      ...lines(output.rejected, ({ path, reason }) => `${plain(path)}: ${reason}`, output.more_rejected),
      output.scope !== undefined && `Scope handle: ${output.scope}`,
      output.advice,
      kept(output),
      following(output),
      output.output === '' ? 'No output.' : `Output:\n${output.output}`,
    ]),
};

const ENDINGS: { readonly [state in Exclude<RunOutput['state'], 'running' | 'exited'>]: string } = {
  timed_out: 'was killed at its time limit',
  stopped: 'was stopped',
  lease_lost: 'was killed: its scope lost the lease',
  output_limit: 'was killed: too much output',
};

function ending(output: RunOutput): string {
  const took = `${(output.duration_ms / 1_000).toFixed(1)} s`;
  if (output.state === 'running') return `is running, for ${took} so far`;
  if (output.state === 'exited') return `exited with code ${output.exit_code ?? 'unknown'} after ${took}`;
  return `${ENDINGS[output.state]} after ${took}`;
}

function kept({ log, diff, rejections }: RunOutput): string | undefined {
  const found = Object.entries({ diff, log, 'all that was rejected': rejections }).flatMap(([name, hash]) =>
    hash === undefined ? [] : [`${name} artifact:${short(hash)}`],
  );
  return found.length === 0 ? undefined : `Kept: ${found.join(', ')}`;
}

function following(output: RunOutput): string | undefined {
  const call = JSON.stringify({ run: output.run, ...(output.next === undefined ? {} : { from: output.next }) });
  if (output.state === 'running') return `To follow it: run ${call}`;
  return output.next === undefined ? undefined : `More output: run ${call}`;
}
