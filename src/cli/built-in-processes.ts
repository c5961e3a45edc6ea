import type { NamedProcess } from '../coordinator/parts.js';

/** Package managers, each with its manifest first and then what it writes besides. */
const MANIFESTS: { readonly [tool: string]: readonly string[] } = {
  npm: ['package.json', 'package-lock.json', 'npm-shrinkwrap.json'],
  pnpm: ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'],
  yarn: ['package.json', 'yarn.lock', '.yarnrc.yml', '.pnp.cjs', '.pnp.loader.mjs'],
  bun: ['package.json', 'bun.lock', 'bun.lockb'],
  pip: ['requirements.txt', 'pyproject.toml'],
  pip3: ['requirements.txt', 'pyproject.toml'],
  uv: ['pyproject.toml', 'uv.lock', 'requirements.txt'],
  poetry: ['pyproject.toml', 'poetry.lock'],
  cargo: ['Cargo.toml', 'Cargo.lock'],
  go: ['go.mod', 'go.sum'],
  bundle: ['Gemfile', 'Gemfile.lock'],
  composer: ['composer.json', 'composer.lock'],
};
const INSTALLS = [
  'install',
  'install *',
  'i',
  'i *',
  'ci',
  'ci *',
  'add *',
  'remove *',
  'uninstall *',
  'rm *',
  'update',
  'update *',
  'dedupe',
  'sync',
  'lock',
  'lock *',
  'get *',
  'mod tidy',
];
const RUNNERS = ['npm', 'pnpm', 'yarn', 'bun'];
const SERVES = [
  'start',
  'run start',
  'run start *',
  'run dev',
  'run dev *',
  'run serve',
  'run serve *',
  'dev',
  'dev *',
];
const SERVERS = ['vite', 'next dev', 'astro dev', 'nuxt dev', 'webpack serve', 'ng serve'];

const PLAIN = { owns: [], env: {}, network: true, live: false, onFailure: 'nothing', sockets: [] } as const;

/** Package managers change the dependency folders of the whole tree, and manifest and lock file: one at a time. */
const INSTALL: NamedProcess = {
  ...PLAIN,
  name: 'install',
  match: ['yarn', ...each(Object.keys(MANIFESTS), INSTALLS)],
  nearest: MANIFESTS,
};

/** A server holds its port: one at a time. */
const DEV: NamedProcess = {
  ...PLAIN,
  name: 'dev',
  match: [
    ...each(RUNNERS, SERVES),
    ...SERVERS.flatMap((server) => [server, `${server} --*`, `npx ${server}`, `npx ${server} --*`]),
    'python3 -m http.server*',
    'python3 manage.py runserver*',
    'flask run*',
    'rails server*',
  ],
  live: true,
};

/** Watchers stand in nobody's way. */
const WATCH: NamedProcess = {
  ...PLAIN,
  name: 'watch',
  match: ['* --watch', '* --watch *', ...each(RUNNERS, ['run watch', 'run watch *']), 'cargo watch*'],
  live: true,
};

/** What is known of commands without any configuration; a process of the same name in `signalbox.yaml` replaces it. */
export const BUILT_IN: readonly NamedProcess[] = [INSTALL, DEV, WATCH];

export const BUILT_IN_CAPACITY: ReadonlyMap<string, number> = new Map([[WATCH.name, 1000]]);

function each(tools: readonly string[], verbs: readonly string[]): string[] {
  return tools.flatMap((tool) => verbs.map((verb) => `${tool} ${verb}`));
}
