import type { ReleaseInput, ReleaseOutput } from '../../coordinator/contract.js';
import { releaseInput } from '../../wire/inputs.js';
import { joined, lines } from '../lists.js';
import { plain } from '../notation.js';
import type { Tool } from '../tool.js';

export const releaseScope: Tool<ReleaseInput, ReleaseOutput> = {
  name: 'release_scope',
  title: 'Release a scope',
  description: 'Give up your scope without publishing: its locks become free, and others may take it over.',
  effect: 'lock',
  schema: releaseInput,
  handler: (coordinator, caller, input) => coordinator.release(caller, input),
  text: ({ id, status, reverted }) =>
    joined([`${id} is ${status}; its locks are free.`, reverted.length > 0 && 'Reverted:', ...lines(reverted, plain)]),
};
