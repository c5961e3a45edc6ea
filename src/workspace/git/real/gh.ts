import { isRefusal, type Refusal } from '../../../domain/refusal.js';
import { type Allowed, denied, sortArguments } from './options.js';

const LIST = [
  '-L',
  '--limit',
  '-s',
  '--state',
  '-S',
  '--search',
  '-l',
  '--label',
  '-a',
  '--assignee',
  '-A',
  '--author',
];
const SHOW = ['--json', '-q', '--jq'];
const TEXT = ['-t', '--title', '-b', '--body'];
const PEOPLE = [
  '-r',
  '--reviewer',
  '--add-reviewer',
  '--add-label',
  '--remove-label',
  '--add-assignee',
  '-m',
  '--milestone',
];

const allowed = (valued: readonly string[], flags: readonly string[] = []): Allowed => ({ valued, flags });
const LOOK = allowed(
  [...LIST, ...SHOW, '-B', '--base', '-H', '--head', '-b', '--branch', '-w', '--workflow'],
  ['-c', '--comments', '-d', '--draft'],
);
const SAY = allowed(['-b', '--body']);

/**
 * What `gh` may do for an agent: nothing that reads a file, opens an editor or browser, moves the tree, acts on another
 * repository, shows a token, or starts a program.
 */
const COMMANDS: { readonly [command: string]: Allowed } = {
  'pr list': LOOK,
  'pr view': LOOK,
  'pr status': LOOK,
  'pr checks': allowed(SHOW, ['--required']),
  'pr diff': allowed(['--color'], ['--name-only', '--patch']),
  'pr create': allowed(
    [...TEXT, ...PEOPLE, '-B', '--base', '-H', '--head', '-l', '--label', '-a', '--assignee'],
    ['-d', '--draft', '-f', '--fill', '--fill-first', '--dry-run'],
  ),
  'pr comment': SAY,
  'pr edit': allowed([...TEXT, ...PEOPLE, '-B', '--base']),
  'pr ready': allowed([], ['--undo']),
  'pr review': allowed(['-b', '--body'], ['-a', '--approve', '-r', '--request-changes', '-c', '--comment']),
  'pr merge': allowed(
    ['-t', '--subject', '-b', '--body', '--match-head-commit'],
    ['-m', '--merge', '-s', '--squash', '-r', '--rebase', '--auto', '--disable-auto'],
  ),
  'pr close': allowed(['-c', '--comment']),
  'pr reopen': allowed(['-c', '--comment']),
  'issue list': LOOK,
  'issue view': LOOK,
  'issue status': LOOK,
  'issue create': allowed([...TEXT, '-l', '--label', '-a', '--assignee', '-m', '--milestone', '-p', '--project']),
  'issue comment': SAY,
  'issue edit': allowed([...TEXT, ...PEOPLE]),
  'issue close': allowed(['-c', '--comment', '-r', '--reason']),
  'issue reopen': allowed(['-c', '--comment']),
  'run list': LOOK,
  'run view': allowed(
    [...SHOW, '-j', '--job', '-a', '--attempt'],
    ['--log', '--log-failed', '-v', '--verbose', '--exit-status'],
  ),
  'run watch': allowed(['-i', '--interval'], ['--exit-status', '--compact']),
  'run rerun': allowed(['-j', '--job'], ['--failed']),
  'workflow list': LOOK,
  'workflow view': allowed(['-r', '--ref'], ['-y', '--yaml']),
  'release list': LOOK,
  'release view': allowed(SHOW),
  'repo view': allowed(SHOW),
  'auth status': allowed([]),
};

/** The numbers, branches and addresses that a command is about. */
const WORD = /^(?![-/])[\p{L}\p{N}_.@/#:-]{1,250}$/u;
/** What can be told of a pull request at another repository. */
const ELSEWHERE = /^https?:|^[\w.-]+\/[\w.-]+#/;

/** DENIED where a `gh` command is not one of the harmless ones. */
export function judgeGh(given: readonly string[]): Refusal | undefined {
  const name = given.slice(0, 2).join(' ');
  const allowedHere = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (allowedHere === undefined) return denied('gh', `\`${name}\``, 'is not among the commands known to be harmless');
  const args = sortArguments(`gh ${name}`, given.slice(2), allowedHere);
  if (isRefusal(args)) return args;
  const odd = args.words.find((word) => !WORD.test(word) || ELSEWHERE.test(word));
  return odd === undefined
    ? undefined
    : denied(`gh ${name}`, `\`${odd}\``, 'is no number or branch of this repository');
}
