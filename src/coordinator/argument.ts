import { type Refusal, refuse } from '../domain/refusal.js';

/** A refusal of a value, with the name of the argument that it came in: the rule that refused could not know that. */
export function inArgument(refusal: Refusal, argument: string): Refusal {
  return { ...refusal, facts: { argument, ...refusal.facts } };
}

/** INVALID: an argument, what was expected, what came, and what to do. */
export function wrongArgument(argument: string, expected: string, got: string, next: string): Refusal {
  return refuse('INVALID', `${argument}: expected ${expected}, got ${got}.`, next, { argument, expected, got });
}

/** A cursor that is none of ours. */
export function wrongCursor(given: string): Refusal {
  return wrongArgument('cursor', 'next of the page before', quoted(given), 'Leave it out to begin anew.');
}

/** A filter that names no scope, whether there is one or not. What came is not repeated: it may be part of a handle. */
export function noScope(argument: string, given: string): Refusal {
  const got = given.includes('-') ? 'something else' : quoted(given);
  return wrongArgument(argument, 'the id of a scope, such as S012', got, `Send ${argument} as the id of a scope.`);
}

/** A text as it came, in a few characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
