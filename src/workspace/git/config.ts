import type { Repository } from './repository.js';
import { runGit, splitNul } from './run.js';

const KEYS = '^(user\\.(name|email)|commit\\.gpgsign|filter\\..+\\.(clean|smudge|process))$';
const FALLBACK: readonly (readonly [key: string, value: string])[] = [
  ['user.name', 'Signalbox'],
  ['user.email', 'signalbox@localhost'],
];

/** How a commit is made. */
export interface CommitSetting {
  readonly environment: { readonly [name: string]: string };
  /** Whether `git commit` would sign it. */
  readonly signs: boolean;
}

/**
 * Environment for building a commit in a private folder instead of the working tree: filters run in git's top level,
 * where a filter like `./tools/strip.sh` is found, and who has not told git a name commits as Signalbox.
 */
export async function commitSetting(repository: Repository): Promise<CommitSetting> {
  const { stdout } = await runGit(['config', '-z', '--get-regexp', KEYS], { cwd: repository.top, codes: [0, 1] });
  const config = new Map(splitNul(stdout).map(keyAndValue));
  const names = FALLBACK.filter(([key]) => (config.get(key) ?? '') === '');
  const filters = [...config]
    .filter(([key, command]) => key.startsWith('filter.') && command !== '')
    .map(([key, command]) => [key, inFolder(repository.top, key, command)] as const);
  const signs = isTrue(config.get('commit.gpgsign'));
  return { environment: asEnvironment([...names, ...filters]), signs };
}

/** A key that stands alone, without `=`, is true. */
function keyAndValue(item: string): [string, string] {
  const end = item.indexOf('\n');
  return end < 0 ? [item, 'true'] : [item.slice(0, end), item.slice(end + 1)];
}

/** As git reads it. What is neither yes nor no to git fails there, when it is asked to sign. */
function isTrue(value = 'false'): boolean {
  return !/^(false|no|off|0*|0+[kmg])$/i.test(value);
}

function inFolder(folder: string, key: string, command: string): string {
  const quoted = `'${folder.replaceAll("'", "'\\''")}'`;
  // Git replaces %f in these commands, and %% by %; in the `process` one it replaces nothing.
  return `cd ${key.endsWith('.process') ? quoted : quoted.replaceAll('%', '%%')} || exit 1\n${command}`;
}

/** The one way to pass configuration whose keys may hold any character. */
function asEnvironment(config: readonly (readonly [key: string, value: string])[]): { [name: string]: string } {
  const pairs = config.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(config.length), ...Object.fromEntries(pairs) };
}
