import { type Refusal, refuse } from '../domain/refusal.js';

/** A refusal of a value, with the name of the argument that it came in: the rule that refused could not know that. */
export function inArgument(refusal: Refusal, argument: string): Refusal {
  return { ...refusal, facts: { argument, ...refusal.facts } };
}

/** INVALID: an argument, what was expected, what came, and what to do. */
export function wrongArgument(argument: string, expected: string, got: string, next: string): Refusal {
  return refuse('INVALID', `${argument}: expected ${expected}, got ${got}.`, next, { argument, expected, got });
}

/** A text as it came, in a few characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
