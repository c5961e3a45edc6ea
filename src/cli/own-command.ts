import { fileURLToPath } from 'node:url';

/** The program that runs now. */
export const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** How a person calls this program: a checkout by its path, an installed package by its name. */
export function ownCommand(): [string, ...string[]] {
  return MAIN.includes('/node_modules/') ? ['npx', '-y', 'signalbox'] : ['node', MAIN];
}

/** Words → one line for a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
