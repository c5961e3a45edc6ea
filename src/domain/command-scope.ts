import type { Scope } from './scope.js';

/** No agent may have a name that ends like this: see `isReserved`. */
export const COMMAND_MARK = ' (run)';

/** In whose name a command of this agent holds its process: by a scope of its own, which ends with the command. */
export function commandAgent(agent: string): string {
  return agent + COMMAND_MARK;
}

/** Whether a scope is held by a command, which ends by itself, and not by an agent, which has to end it. */
export function isOfCommand({ owner }: Scope): boolean {
  return owner?.agent.endsWith(COMMAND_MARK) ?? false;
}

/** The agent who waits where this scope waits: its owner, or whoever called for the command. */
export function agentBehind(agent: string): string {
  return agent.endsWith(COMMAND_MARK) ? agent.slice(0, -COMMAND_MARK.length) : agent;
}
