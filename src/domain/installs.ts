import { joined, type Program, programsIn, withoutOptions } from './programs.js';

/** A package manager's command that changes what is installed. */
export interface Install {
  readonly tool: string;
  /** Where it looks for its manifest, from where the command line is run. */
  readonly folder: string;
}

interface Manager {
  /** What changes what is installed: the first words that are no options, joined by blanks. */
  readonly verbs: ReadonlySet<string>;
  /** Options that name its folder, or a file in that. */
  readonly folder: readonly string[];
  /** Other options that take a value and may stand in front of the verb. */
  readonly valued: readonly string[];
  /** Whether it installs where it is given no verb. */
  readonly alone?: boolean;
}

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
const verbs = (text: string, ...pairs: string[]): ReadonlySet<string> => new Set([...words(text), ...pairs]);

const PIP: Manager = { verbs: verbs('install uninstall'), folder: [], valued: words('--python --proxy --cache-dir') };

const MANAGERS: { readonly [tool: string]: Manager } = {
  npm: {
    verbs: verbs(
      'install i in ins isntall add ci ic clean-install it install-test cit install-ci-test ' +
        'uninstall un remove rm r update up upgrade dedupe ddp prune link ln',
      'audit fix',
    ),
    folder: words('--prefix -C'),
    valued: words('-w --workspace --registry --cache --userconfig --loglevel'),
  },
  pnpm: {
    verbs: verbs('install i add remove rm uninstall un update up upgrade dedupe prune import link ln'),
    folder: words('--dir -C --prefix'),
    valued: words('-F --filter --filter-prod --reporter --loglevel --store-dir'),
  },
  yarn: {
    verbs: verbs('install add remove up upgrade dedupe link', 'workspaces focus'),
    folder: words('--cwd'),
    valued: words('--cache-folder --registry --mutex --modules-folder'),
    alone: true,
  },
  bun: {
    verbs: verbs('install i add a remove rm update link'),
    folder: words('--cwd'),
    valued: words('-c --config --registry --filter'),
  },
  pip: PIP,
  pip3: PIP,
  uv: {
    verbs: verbs('add remove sync lock', 'pip install', 'pip uninstall', 'pip sync'),
    folder: words('--directory --project'),
    valued: words('-p --python --cache-dir --config-file --index-url'),
  },
  poetry: {
    verbs: verbs('install add remove update lock sync'),
    folder: words('-C --directory -P --project'),
    valued: [],
  },
  cargo: {
    verbs: verbs('add remove rm update install uninstall generate-lockfile'),
    folder: words('-C --manifest-path'),
    valued: words('--color --config -Z'),
  },
  go: {
    verbs: verbs('get install', 'mod tidy', 'mod download', 'mod vendor', 'work sync'),
    folder: ['-C'],
    valued: [],
  },
  bundle: {
    verbs: verbs('install i add remove update lock'),
    folder: words('--gemfile'),
    valued: words('--jobs --retry'),
    alone: true,
  },
  composer: {
    verbs: verbs('install i update u upgrade require r remove rm'),
    folder: words('-d --working-dir'),
    valued: [],
  },
};

/** What a command line installs, each package manager with its folder. */
export function installsIn(line: string): readonly Install[] {
  return programsIn(line).flatMap((program) => {
    const manager = MANAGERS[program.name];
    return manager !== undefined && isInstall(program, manager)
      ? [{ tool: program.name, folder: folderOf(program, manager) }]
      : [];
  });
}

function isInstall({ args }: Program, { verbs, folder, valued, alone = false }: Manager): boolean {
  const asks = args.some((arg) => ['--help', '-h', '--version', '-v', '-V', '--dry-run'].includes(arg));
  if (asks) return false;
  const options = [...folder, ...valued];
  // `cargo +nightly add`
  const [verb, ...rest] = withoutOptions(args[0]?.startsWith('+') ? args.slice(1) : args, options);
  if (verb === undefined) return alone;
  // `yarn workspace web add x`
  if (verb === 'workspace') return verbs.has(rest[1] ?? '');
  return verbs.has(verb) || verbs.has(`${verb} ${withoutOptions(rest, options)[0] ?? ''}`);
}

function folderOf({ args, folder }: Program, { folder: options }: Manager): string {
  for (const [at, arg] of args.entries()) {
    const [option = '', value = args[at + 1]] = arg.startsWith('--') ? arg.split('=', 2) : [arg];
    if (options.includes(option)) return joined(folder, isFile(option) ? above(value) : value);
  }
  return folder;
}

const isFile = (option: string): boolean => option === '--manifest-path' || option === '--gemfile';

function above(file: string | undefined): string | undefined {
  const end = file?.lastIndexOf('/') ?? -1;
  return end < 0 ? undefined : file?.slice(0, end);
}
