const LONGEST = 200;

/** A title made of what agents wrote, such as a command or paths: one line, nothing hidden in it, and not too long. */
export function titleFrom(text: string): string {
  const line = text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  // Half of a surrogate pair is no character.
  return line.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, '');
}
