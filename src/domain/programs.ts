import { simpleCommands } from './words.js';

/** A program that a command line starts. */
export interface Program {
  /** Without its folder, and without what only starts it: `env`, `npx`, `python -m`. */
  readonly name: string;
  readonly args: readonly string[];
  /** Where it is started, from where the line is: `.`, a relative or an absolute path. */
  readonly folder: string;
}

/** Programs that start the one behind them, with the options of theirs that take a value. */
const STARTERS: { readonly [name: string]: readonly string[] } = {
  env: ['-u', '-C'],
  command: [],
  exec: ['-a'],
  nohup: [],
  time: ['-o', '-f'],
  nice: ['-n'],
  stdbuf: ['-i', '-o', '-e'],
  timeout: ['-s', '-k'],
  corepack: [],
  npx: ['-p', '--package', '-c', '--call'],
  bunx: [],
  'npm exec': ['-p', '--package'],
  'pnpm exec': [],
  'pnpm dlx': [],
  'yarn exec': [],
  'yarn dlx': ['-p'],
  'bun x': [],
  'uv run': ['--with', '-p', '--python'],
  'poetry run': [],
  'pipenv run': [],
  'bundle exec': [],
};

/** The programs of a command line, `cd` and assignments in front followed. */
export function programsIn(line: string): readonly Program[] {
  const found: Program[] = [];
  let folder = '.';
  for (const words of simpleCommands(line)) {
    const [first = '', ...args] = started(words);
    if (first === 'cd') folder = joined(folder, args.filter((arg) => !arg.startsWith('-'))[0]);
    else if (first !== '') found.push({ ...programOf(first, args), folder });
  }
  return found;
}

function started(words: readonly string[]): readonly string[] {
  const own = words.slice(leading(words, (word) => /^[A-Za-z_]\w*=/.test(word) || word === '!'));
  const [first = '', second = ''] = own;
  const pair = STARTERS[`${lastName(first)} ${second}`];
  const options = pair ?? STARTERS[lastName(first)];
  if (options === undefined) return own;
  const rest = withoutOptions(own.slice(pair === undefined ? 1 : 2), options);
  // `timeout` takes its time in front of the program.
  return started(rest.slice(lastName(first) === 'timeout' ? 1 : 0));
}

function leading(words: readonly string[], among: (word: string) => boolean): number {
  const end = words.findIndex((word) => !among(word));
  return end < 0 ? words.length : end;
}

/** The words from the first on that is no option; `valued` options take the next word along. */
export function withoutOptions(words: readonly string[], valued: readonly string[]): readonly string[] {
  const [first] = words;
  if (first?.startsWith('-') !== true) return words;
  return withoutOptions(words.slice(valued.includes(first) ? 2 : 1), valued);
}

function programOf(first: string, args: readonly string[]): Omit<Program, 'folder'> {
  const name = lastName(first).replace(/@[\w.^~-]+$/, '');
  if (!/^(python[\d.]*|py)$/.test(name)) return { name, args };
  const rest = withoutOptions(args, ['-W', '-X', '-m']);
  const module = args.indexOf('-m');
  if (module < 0) return { name: lastName(rest[0] ?? name), args: rest.slice(1) };
  return { name: args[module + 1] ?? name, args: args.slice(module + 2) };
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A folder seen from another one. Where that is not written out, nobody can tell. */
export function joined(from: string, to: string | undefined): string {
  if (to === undefined || to === '' || /[$`~*?]/.test(to)) return from;
  return to.startsWith('/') || from === '.' ? to : `${from}/${to}`;
}
