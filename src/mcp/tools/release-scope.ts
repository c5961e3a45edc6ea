import type { ReleaseInput, ReleaseOutput } from '../../coordinator/contract.js';
import { releaseInput } from '../../wire/inputs.js';
import { joined, lines } from '../lists.js';
import { plain, short } from '../notation.js';
import type { Tool } from '../tool.js';

export const releaseScope: Tool<ReleaseInput, ReleaseOutput> = {
  name: 'release_scope',
  title: 'Release a scope',
  description: 'Give up your scope without publishing: its locks become free, and others may take it over.',
  effect: 'lock',
  schema: releaseInput,
  handler: (coordinator, caller, input) => coordinator.release(caller, input),
  text: ({ id, status, reverted, published }) =>
    joined([
      `${id} is ${status}; its locks are free.`,
      reverted.length > 0 && 'Reverted:',
      ...lines(reverted, plain),
      published !== undefined && stays(published),
    ]),
};

function stays({ commit }: NonNullable<ReleaseOutput['published']>): string {
  return `What ${commit === undefined ? 'was published before' : `commit ${short(commit)} has`} stays: only later changes are taken back.`;
}
