import type { PublishInput, PublishOutput } from '../../coordinator/contract.js';
import { publishInput } from '../../wire/inputs.js';
import { inline, joined, lines } from '../lists.js';
import type { Tool } from '../tool.js';

export const publishOutput: Tool<PublishInput, PublishOutput> = {
  name: 'publish_output',
  title: 'Publish the output of a scope',
  description:
    'Finish your scope: commits exactly what it changed, stores its outputs, frees its locks and unblocks the scopes that consume it.',
  effect: 'change',
  schema: publishInput,
  handler: (coordinator, caller, input) => coordinator.publish(caller, input),
  text: (output) =>
    joined([
      `${output.id} is ${output.status}.`,
      ...(output.check === undefined
        ? []
        : [
            `Its check "${output.check}" (${output.run}) has not ended; nothing is published yet.`,
            'Next: call publish_output again with the same arguments to go on waiting.',
          ]),
      output.commit !== undefined &&
        `Commit: ${output.commit}${output.branch === undefined ? '' : ` on ${output.branch}`}`,
      output.artifacts.length > 0 && 'Artifacts:',
      ...lines(
        output.artifacts,
        ({ id, type, path, hash }) => `${id} ${type}${path === undefined ? '' : ` ${path}`}, artifact:${hash}`,
      ),
      output.unblocked.length > 0 && `Unblocked: ${inline(output.unblocked)}`,
    ]),
};
