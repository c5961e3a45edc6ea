import type { NamedProcess } from '../coordinator/parts.js';

const INSTALLERS = ['npm', 'pnpm', 'yarn', 'bun', 'pip', 'pip3', 'uv', 'poetry', 'cargo', 'go', 'bundle', 'composer'];
const INSTALLS = [
  'install',
  'install *',
  'i',
  'i *',
  'ci',
  'ci *',
  'add *',
  'remove *',
  'update',
  'update *',
  'sync',
  'get *',
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

/** Package managers change the dependency folders and the lock files of the whole tree: one at a time. */
const INSTALL: NamedProcess = { name: 'install', match: each(INSTALLERS, INSTALLS), network: true, live: false };

/** A server holds its port: one at a time. */
const DEV: NamedProcess = {
  name: 'dev',
  match: [
    ...each(RUNNERS, SERVES),
    ...SERVERS.flatMap((server) => [server, `${server} --*`, `npx ${server}`, `npx ${server} --*`]),
    'python3 -m http.server*',
    'python3 manage.py runserver*',
    'flask run*',
    'rails server*',
  ],
  network: true,
  live: true,
};

/** Watchers stand in nobody's way. */
const WATCH: NamedProcess = {
  name: 'watch',
  match: ['* --watch', '* --watch *', ...each(RUNNERS, ['run watch', 'run watch *']), 'cargo watch*'],
  network: true,
  live: true,
};

/** What is known of commands without any configuration; a process of the same name in `signalbox.yaml` replaces it. */
export const BUILT_IN: readonly NamedProcess[] = [INSTALL, DEV, WATCH];

export const BUILT_IN_CAPACITY: ReadonlyMap<string, number> = new Map([[WATCH.name, 1000]]);

function each(tools: readonly string[], verbs: readonly string[]): string[] {
  return tools.flatMap((tool) => verbs.map((verb) => `${tool} ${verb}`));
}
