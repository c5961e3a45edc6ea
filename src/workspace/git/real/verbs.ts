import type { Refusal } from '../../../domain/refusal.js';
import { isRefspec, isRemoteName, isRev, isUrl } from './names.js';
import { type Arguments, denied } from './options.js';
import type { Verb, Verdict } from './verdict.js';

const QUIET = ['-q', '--quiet', '-v', '--verbose'];
const FETCH = ['--all', '--prune', '-p', '--tags', '-t', '--no-tags', '--dry-run', '--unshallow', ...QUIET];
const AT_WORK = ['--abort', '--continue', '--skip', '--quit'];

const has = (args: Arguments, ...names: string[]): boolean => args.options.some(([name]) => names.includes(name));
const lastValue = (args: Arguments, ...names: string[]): string | undefined =>
  args.options.findLast(([name]) => names.includes(name))?.[1];
const reaching = (...trees: readonly string[]): Verdict => ({ reach: { trees, commits: [] } });

function wrongRev(command: string, revs: readonly string[]): Refusal | undefined {
  const wrong = revs.find((rev) => !isRev(rev));
  return wrong === undefined
    ? undefined
    : denied(command, `\`${wrong}\``, 'is no plain name of a branch, tag or commit');
}

function fetch(args: Arguments): Verdict | Refusal {
  return wrongRemote('git fetch', args) ?? {};
}

function wrongRemote(command: string, { words: [remote, ...refs] }: Arguments): Refusal | undefined {
  if (remote !== undefined && !isRemoteName(remote)) {
    return denied(command, 'its repository', 'is no name of a configured remote');
  }
  const wrong = refs.find((ref) => !isRefspec(ref));
  return wrong === undefined ? undefined : denied(command, `\`${wrong}\``, 'is no plain branch or tag');
}

function push(args: Arguments): Verdict | Refusal {
  const wrong = wrongRemote('git push', args);
  if (wrong !== undefined) return wrong;
  const refs = args.words.slice(1);
  if (refs.some((ref) => ref.startsWith('+'))) return denied('git push', 'a `+`', 'overwrites what others pushed');
  if (refs.some((ref) => ref.startsWith(':')))
    return denied('git push', 'a ref to delete', 'would be gone for everyone');
  return { push: true };
}

function pull(args: Arguments): Verdict | Refusal {
  const wrong = wrongRemote('git pull', args);
  if (wrong !== undefined) return wrong;
  if (args.words.length > 2) return denied('git pull', 'more than one branch', 'is not merged at once');
  const from = args.words.length === 2 ? 'FETCH_HEAD' : '@{upstream}';
  const how = args.options.map(([name]) => name).findLast((name) => !QUIET.includes(name)) ?? '--ff-only';
  const rest = how === '--rebase' ? [from] : how === '--ff-only' ? ['--ff-only', from] : ['--no-edit', from];
  const commits = how === '--rebase' ? [`${from}..HEAD`] : [];
  const verb = how === '--rebase' ? 'rebase' : 'merge';
  return { verb, args: rest, reach: { trees: [from], commits }, pull: { fetch: args.words } };
}

function checkout(command: string, create: readonly string[]): Verb['judge'] {
  return (args) => {
    const wrong = wrongRev(command, args.words);
    if (wrong !== undefined) return wrong;
    if (args.words.length > 1) return denied(command, 'a second name', 'has to be a path: write `--` before paths');
    const [rev] = args.words;
    if (!has(args, ...create) && rev === undefined && args.paths === undefined)
      return denied(command, 'what to go to', 'is not said');
    return reaching(rev ?? 'HEAD');
  };
}

function restore(args: Arguments): Verdict | Refusal {
  const source = lastValue(args, '-s', '--source') ?? 'HEAD';
  return wrongRev('git restore', [source]) ?? reaching(source);
}

function merge(args: Arguments): Verdict | Refusal {
  if (has(args, ...AT_WORK)) return reaching('HEAD', 'ORIG_HEAD');
  const wrong = wrongRev('git merge', args.words);
  return wrong ?? reaching(...(args.words.length === 0 ? ['@{upstream}'] : args.words));
}

function rebase(args: Arguments): Verdict | Refusal {
  if (has(args, ...AT_WORK)) return { reach: { trees: ['HEAD', 'ORIG_HEAD'], commits: ['HEAD..ORIG_HEAD'] } };
  const upstream = args.words[0] ?? '@{upstream}';
  const onto = lastValue(args, '--onto') ?? upstream;
  if (args.words.length > 1)
    return denied('git rebase', 'a branch to go to first', 'is a command of its own: git switch');
  return (
    wrongRev('git rebase', [upstream, onto]) ?? { reach: { trees: [upstream, onto], commits: [`${upstream}..HEAD`] } }
  );
}

function pick(command: string): Verb['judge'] {
  return (args) => {
    if (has(args, ...AT_WORK)) return reaching('HEAD', 'ORIG_HEAD');
    const [commit] = args.words;
    if (commit === undefined || args.words.length > 1) return denied(command, 'one commit', 'at a time can be named');
    return wrongRev(command, [commit]) ?? { reach: { trees: [], commits: [`${commit}^!`] } };
  };
}

function reset(args: Arguments): Verdict | Refusal {
  const [rev = 'HEAD'] = args.words;
  if (args.words.length > 1) return denied('git reset', 'a second name', 'has to be a path: write `--` before paths');
  return wrongRev('git reset', [rev]) ?? reaching(rev);
}

function stash(args: Arguments): Verdict | Refusal {
  const [verb = 'push', ...rest] = args.words;
  const [name = 'stash@{0}'] = rest;
  const stash = /^\d+$/.test(name) ? `stash@{${name}}` : name;
  if (!['push', 'pop', 'apply', 'drop'].includes(verb)) return denied('git stash', verb, 'is not allowed');
  if (rest.length > (verb === 'push' ? 0 : 1)) return denied('git stash', 'a path', 'comes after `--`');
  if (!/^stash@\{\d+\}$/.test(stash)) return denied('git stash', `\`${name}\``, 'is no stash');
  if (verb === 'drop') return {};
  const untracked = { untracked: true as const };
  if (verb === 'push')
    return { reach: { trees: [], commits: [], ...(has(args, '-u', '--include-untracked') ? untracked : {}) } };
  return { reach: { trees: [], commits: [], stash, ...untracked } };
}

function remote(args: Arguments): Verdict | Refusal {
  const [verb = '', ...rest] = args.words;
  const urls = verb === 'add' || verb === 'set-url' ? rest.slice(1) : [];
  if (!['add', 'rename', 'remove', 'rm', 'set-url', 'prune', 'update', 'show'].includes(verb)) {
    return denied('git remote', verb, 'is not allowed');
  }
  if (urls.some((url) => !isUrl(url))) {
    return denied('git remote', 'the URL', 'has to be https:// or ssh:// or user@host:path, without a password');
  }
  const names = rest.filter((word) => !urls.includes(word));
  return names.every(isRemoteName) ? {} : denied('git remote', 'the name', 'is no plain name');
}

const named =
  (command: string): Verb['judge'] =>
  (args) =>
    wrongRev(command, args.words) ?? {};
const LISTS = [
  '-l',
  '--list',
  '--contains',
  '--no-contains',
  '--merged',
  '--no-merged',
  '--points-at',
  '--sort',
  '--format',
];
const looks = (given: readonly string[]): boolean =>
  given.some((word) => LISTS.includes(word.replace(/=.*/, '')) || /^-n\d*$/.test(word));
const BRANCH = ['-d', '--delete', '-D', '-m', '--move', '-M', '-c', '--copy', '-C', '--unset-upstream'];
const START = [
  '--detach',
  '-d',
  '--track',
  '-t',
  '--no-track',
  '--guess',
  '--no-guess',
  '--force',
  '-f',
  '--discard-changes',
];

/** The subcommands that run on the repository itself, with the options that start no program and read no other file. */
export const VERBS: { readonly [name: string]: Verb } = {
  fetch: { flags: FETCH, valued: ['--depth', '--deepen'], judge: fetch },
  push: {
    flags: [
      '-u',
      '--set-upstream',
      '--tags',
      '--follow-tags',
      '--dry-run',
      '-n',
      '--force-with-lease',
      '--atomic',
      ...QUIET,
    ],
    valued: [],
    judge: push,
  },
  pull: { flags: ['--ff-only', '--rebase', '--no-rebase', ...QUIET], valued: [], judge: pull },
  tag: {
    flags: ['-a', '--annotate', '-d', '--delete', '-f', '--force'],
    valued: ['-m', '--message'],
    changes: (given) => given.length > 0 && !looks(given) && !given.includes('-v'),
    judge: named('git tag'),
  },
  branch: {
    flags: [...BRANCH, '-f', '--force', '-t', '--track', '--no-track', '-q', '--quiet'],
    valued: ['-u', '--set-upstream-to'],
    changes: (given) =>
      !looks(given) &&
      given.some((word) => !word.startsWith('-') || /^(-u|--set-upstream-to)/.test(word) || BRANCH.includes(word)),
    judge: named('git branch'),
  },
  remote: {
    flags: ['-f', '--prune', '-p', '--push', '--add'],
    valued: [],
    changes: (given) => given.some((word) => !word.startsWith('-')) && !given.includes('get-url'),
    judge: remote,
  },
  checkout: {
    flags: [...START, ...QUIET, '--ours', '--theirs'],
    valued: ['-b', '-B'],
    paths: true,
    judge: checkout('git checkout', ['-b', '-B']),
  },
  switch: {
    flags: [...START, ...QUIET],
    valued: ['-c', '--create', '-C', '--force-create'],
    judge: checkout('git switch', ['-c', '--create', '-C', '--force-create']),
  },
  restore: {
    flags: ['--staged', '-S', '--worktree', '-W', '--ours', '--theirs', ...QUIET],
    valued: ['-s', '--source'],
    paths: true,
    judge: (args) => restore(args),
  },
  merge: {
    flags: [
      '--ff',
      '--no-ff',
      '--ff-only',
      '--squash',
      '--no-commit',
      '--no-edit',
      '--stat',
      '--no-stat',
      ...AT_WORK,
      ...QUIET,
    ],
    valued: ['-m', '-X'],
    judge: merge,
  },
  rebase: { flags: ['--no-ff', '--keep-empty', ...AT_WORK, ...QUIET], valued: ['--onto', '-X'], judge: rebase },
  'cherry-pick': {
    flags: ['-x', '-n', '--no-commit', ...AT_WORK],
    valued: ['-m', '--mainline', '-X'],
    judge: pick('git cherry-pick'),
  },
  revert: {
    flags: ['-n', '--no-commit', '--no-edit', ...AT_WORK],
    valued: ['-m', '--mainline', '-X'],
    judge: pick('git revert'),
  },
  reset: {
    flags: ['--soft', '--mixed', '--hard', '--keep', '--merge', ...QUIET],
    valued: [],
    paths: true,
    judge: reset,
  },
  stash: {
    flags: [
      '-u',
      '--include-untracked',
      '-k',
      '--keep-index',
      '--no-keep-index',
      '--index',
      '-S',
      '--staged',
      ...QUIET,
    ],
    valued: ['-m', '--message'],
    paths: true,
    changes: (given) => !['list', 'show'].includes(given[0] ?? ''),
    judge: stash,
  },
};
