import type { Scope } from './scope.js';

const MARK = ' (run)';

/** In whose name a command of this agent holds its process: by a scope of its own, which ends with the command. */
export function commandAgent(agent: string): string {
  return agent + MARK;
}

/** Whether a scope is held by a command, which ends by itself, and not by an agent, which has to end it. */
export function isOfCommand({ owner }: Scope): boolean {
  return owner?.agent.endsWith(MARK) ?? false;
}

/** The agent who waits where this scope waits: its owner, or whoever called for the command. */
export function agentBehind(agent: string): string {
  return agent.endsWith(MARK) ? agent.slice(0, -MARK.length) : agent;
}
