import { type Refusal, refuse } from '../../../domain/refusal.js';

/** What a subcommand may be called with. Whatever is not listed is refused. */
export interface Allowed {
  /** Options without a value, as they are written. */
  readonly flags: readonly string[];
  /** Options with one: `--name value`, `--name=value`, `-n value`. */
  readonly valued: readonly string[];
  /** Whether `--` and paths may follow. */
  readonly paths?: true;
}

export interface Arguments {
  /** All options in order; a flag has the value `''`. */
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly words: readonly string[];
  /** What came after `--`; undefined without one. */
  readonly paths: readonly string[] | undefined;
}

/** Sorts the words after a subcommand. DENIED names what is not allowed. */
export function sortArguments(command: string, given: readonly string[], allowed: Allowed): Arguments | Refusal {
  const options: [string, string][] = [];
  const words: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? '';
    if (word === '--') {
      if (allowed.paths === undefined) return denied(command, '`--`', 'takes no paths here');
      return { options, words, paths: given.slice(at + 1) };
    }
    if (!word.startsWith('-')) {
      words.push(word);
      continue;
    }
    const [name = '', value] = splitOption(word);
    if (value === undefined && allowed.flags.includes(name)) options.push([name, '']);
    else if (!allowed.valued.includes(name))
      return denied(command, name, 'is not among its options known to be harmless');
    else if (value !== undefined) options.push([name, value]);
    else if (given[at + 1] === undefined) return denied(command, name, 'needs a value');
    else options.push([name, given[++at] ?? '']);
  }
  return { options, words, paths: undefined };
}

function splitOption(word: string): [string, string?] {
  const end = word.startsWith('--') ? word.indexOf('=') : -1;
  return end < 0 ? [word] : [word.slice(0, end), word.slice(end + 1)];
}

/** No value stands in here: it may hold a secret. */
export function denied(command: string, what: string, why: string): Refusal {
  return refuse(
    'DENIED',
    `${command} is not run on the repository itself: ${what.slice(0, 100)} ${why}.`,
    'Leave it out, or ask the person to run the command; docs/decisions/0013-process-git.md lists what is allowed.',
    { command },
  );
}
