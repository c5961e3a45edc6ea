import { isRefusal, type Refusal, refuse } from '../../../domain/refusal.js';
import { plainWords } from '../../../domain/words.js';
import { judgeGh } from './gh.js';
import { sortArguments } from './options.js';
import { VERBS } from './verbs.js';
import type { Reach, Verb } from './verdict.js';

/** A command that runs on the repository itself, taken apart and judged. */
export interface RealCommand {
  readonly program: 'git' | 'gh';
  /** For git without its own options; those are ours. */
  readonly args: readonly string[];
  /** Set where files of the tree may change. */
  readonly reach?: Reach;
  /** Arguments of a `git fetch` to be made first. */
  readonly fetch?: readonly string[];
  /** Set where a remote is reached: the name given, if one was. */
  readonly remote?: { readonly name: string | undefined; readonly push: boolean };
}

/** Options of git itself that change nothing. */
const HARMLESS = ['--no-pager', '-P'];
/** Options of git itself that have a value of their own. */
const VALUED = ['-c', '-C', '--git-dir', '--work-tree', '--namespace', '--config-env', '--exec-path', '--super-prefix'];

/**
 * What of a command line runs on the repository itself: one plain `git` or `gh` command, of those that change refs or the
 * tree or need the user's credentials. Undefined: it runs contained, like any other. DENIED: it is such a command, and
 * asks for more than is known to be harmless.
 */
export function realCommand(command: string): RealCommand | Refusal | undefined {
  const words = plainWords(command);
  if (words === undefined) return undefined;
  const [program, ...given] = words;
  if (program === 'gh') return judgeGh(given) ?? { program, args: given };
  return program === 'git' ? gitCommand(given) : undefined;
}

function gitCommand(given: readonly string[]): RealCommand | Refusal | undefined {
  const { own, verb, rest } = split(given);
  const known = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (known === undefined || known.changes?.(rest) === false) return undefined;
  const odd = own.find((word) => !HARMLESS.includes(word));
  if (odd !== undefined) return ownOption(verb, odd);
  return judged(verb, known, rest);
}

function judged(verb: string, known: Verb, rest: readonly string[]): RealCommand | Refusal {
  const args = sortArguments(`git ${verb}`, rest, known);
  if (isRefusal(args)) return args;
  const verdict = known.judge(args);
  if (isRefusal(verdict)) return verdict;
  const { reach, pull } = verdict;
  const reaches =
    ['fetch', 'push', 'pull'].includes(verb) ||
    (verb === 'remote' && ['update', 'prune', 'show'].includes(args.words[0] ?? ''));
  const name = verb === 'remote' ? undefined : args.words[0];
  return {
    program: 'git',
    args: [verdict.verb ?? verb, ...(verdict.args ?? rest)],
    ...(reach === undefined ? {} : { reach }),
    ...(pull === undefined ? {} : { fetch: pull.fetch }),
    ...(reaches ? { remote: { name, push: verdict.push === true } } : {}),
  };
}

/** Git's own options stand before the subcommand. */
function split(given: readonly string[]): { own: string[]; verb: string; rest: readonly string[] } {
  const own: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? '';
    if (!word.startsWith('-')) return { own, verb: word, rest: given.slice(at + 1) };
    own.push(word);
    if (VALUED.includes(word)) at++;
  }
  return { own, verb: '', rest: [] };
}

function ownOption(verb: string, word: string): Refusal {
  const option = word.replace(/=.*/s, '').slice(0, 50);
  return refuse(
    'DENIED',
    `git ${verb} runs on the repository itself, and takes no ${option} there: it could start a program.`,
    `Call run again without ${option}; cwd says in which folder.`,
    { command: `git ${verb}`, option },
  );
}
