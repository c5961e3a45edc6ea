import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Repository } from '../repository.js';
import type { RealCommand } from './command.js';

/** A program with its arguments and its whole environment, to be started without a shell. */
export interface Program {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
}

/** What could start a program, wait for a person, or look into other repositories is switched off. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.editor=true',
  'core.pager=cat',
  'sequence.editor=true',
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=no',
  'push.recurseSubmodules=no',
  'diff.ignoreSubmodules=all',
  // A file then never arrives where neither side has one.
  'merge.directoryRenames=false',
  'rerere.enabled=false',
  'advice.detachedHead=false',
];
/** What of the user's own variables says how to reach a remote, and who commits. */
const KEPT = /^GIT_(SSH|SSH_COMMAND|ASKPASS|SSL_\w+|(AUTHOR|COMMITTER)_(NAME|EMAIL))$/;
const QUIET = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_EDITOR: 'true',
  GIT_SEQUENCE_EDITOR: 'true',
  GIT_MERGE_AUTOEDIT: 'no',
  GIT_PAGER: 'cat',
  PAGER: 'cat',
  GH_PAGER: 'cat',
  GH_EDITOR: 'true',
  GH_BROWSER: 'true',
  GH_PROMPT_DISABLED: '1',
  GH_NO_UPDATE_NOTIFIER: '1',
  NO_COLOR: '1',
  TERM: 'dumb',
  LANGUAGE: 'en',
};

/** A judged command as a program with the user's environment. The repository is named: no folder of the tree passes for one. */
export function realProgram(repository: Repository, { program, args }: Pick<RealCommand, 'program' | 'args'>): Program {
  const { dir, top, root } = repository;
  const env = environment(root);
  if (program === 'gh') return { argv: ['gh', ...args], env: { ...env, GIT_DIR: dir, GIT_WORK_TREE: top } };
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  return { argv: ['git', '--no-pager', `--git-dir=${dir}`, `--work-tree=${top}`, ...settings, ...args], env };
}

function environment(root: string): { [name: string]: string } {
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || (name.startsWith('GIT_') && !KEPT.test(name)) ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(own), ...QUIET, PATH: pathWithoutTree(process.env.PATH ?? '', root) };
}

/** `node_modules/.bin` is on the path of what `npm` starts, and agents can write there. */
export function pathWithoutTree(path: string, root: string): string {
  return path
    .split(':')
    .filter((folder) => isAbsolute(folder) && !isBelow(real(folder), root))
    .join(':');
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
