import type { OpenInput, OpenOutput } from '../../coordinator/contract.js';
import { openInput } from '../../wire/inputs.js';
import type { Tool } from '../tool.js';

export const openScope: Tool<OpenInput, OpenOutput> = {
  name: 'open_scope',
  title: 'Open a scope for others',
  description: 'Put up work that any agent may claim later. Locks nothing yet.',
  effect: 'change',
  schema: openInput,
  handler: (coordinator, caller, input) => coordinator.open(caller, input),
  text: ({ id }) => `${id} is open. To take it: claim_scope ${JSON.stringify({ scope: id })}`,
};
