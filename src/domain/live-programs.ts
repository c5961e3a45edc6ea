import { type Program, programsIn, withoutOptions } from './programs.js';

const set = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Run scripts of a `package.json`, with their options that take a value in front of the script. */
const RUNNERS: { readonly [name: string]: readonly string[] } = {
  npm: ['--prefix', '-C', '-w', '--workspace', '--loglevel'],
  pnpm: ['--dir', '-C', '--prefix', '-F', '--filter', '--loglevel'],
  yarn: ['--cwd'],
  bun: ['--cwd', '--filter'],
};
/** Verbs of those that are no scripts and may have options of these names. */
const RUN = set('run run-script');

/** Programs that serve, with the verbs by which they do. */
const SERVERS: { readonly [name: string]: ReadonlySet<string> } = {
  next: set('dev start'),
  nuxt: set('dev preview'),
  nuxi: set('dev preview'),
  astro: set('dev preview'),
  remix: set('dev'),
  webpack: set('serve'),
  ng: set('serve s'),
  'vue-cli-service': set('serve'),
  'react-scripts': set('start'),
  storybook: set('dev'),
  expo: set('start'),
  wrangler: set('dev'),
  parcel: set('serve'),
  flask: set('run'),
  fastapi: set('dev run'),
  streamlit: set('run'),
  mkdocs: set('serve'),
  'manage.py': set('runserver'),
  rails: set('server s'),
  artisan: set('serve'),
  hugo: set('server serve'),
  jekyll: set('serve s'),
};
/** Vite serves unless it is asked for something else. */
const NO_SERVER = set('build optimize --help -h --version -v');
/** Those that do nothing else. */
const ALWAYS_SERVES = set(
  'webpack-dev-server http-server live-server json-server http.server uvicorn gunicorn hypercorn',
);

/** Programs that watch, with the verbs by which they do. */
const WATCHERS: { readonly [name: string]: ReadonlySet<string> } = {
  tsx: set('watch'),
  vitest: set('watch dev'),
  webpack: set('watch'),
  parcel: set('watch'),
  gulp: set('watch'),
  turbo: set('watch'),
  cargo: set('watch'),
  dotnet: set('watch'),
};
const ALWAYS_WATCHES = set('nodemon ts-node-dev tsnd tsc-watch ptw pytest-watch watchexec chokidar');
/** Those that watch with `--watch`, and with `-w` where that means the same. */
const WITH_OPTION = set('tsc vue-tsc vitest webpack rollup vite tailwindcss sass postcss babel swc mocha ava');
const WITH_LONG_OPTION = set('node bun deno npm pnpm yarn jest esbuild tsup ng graphql-codegen');

/** Whether a command line starts a server, which holds its port. */
export function startsServer(line: string): boolean {
  return programsIn(line).some(({ name, args, ...rest }) => {
    const [first = '', ...others] = args;
    // `yarn vite`, `php artisan serve`
    const inner = name === 'yarn' || name === 'php' ? { ...rest, name: first, args: others } : undefined;
    return serves({ ...rest, name, args }) || (inner !== undefined && serves(inner));
  });
}

function serves({ name, args }: Program): boolean {
  const script = scriptOf(name, args);
  if (script !== undefined && /^(dev|start|serve)(:|$)/.test(script)) return true;
  if (ALWAYS_SERVES.has(name) || (name === 'php' && args.includes('-S'))) return true;
  if (name === 'vite') return !args.some((arg) => NO_SERVER.has(arg));
  return asks(SERVERS[name], args);
}

/** Whether a command line starts something that waits for changes. */
export function startsWatcher(line: string): boolean {
  return programsIn(line).some(({ name, args, ...rest }) => {
    const [first = '', ...others] = args;
    return watches({ ...rest, name, args }) || (name === 'yarn' && watches({ ...rest, name: first, args: others }));
  });
}

function watches({ name, args }: Program): boolean {
  const script = scriptOf(name, args);
  if (script !== undefined && /^watch(:|$)|:watch$/.test(script)) return true;
  if (ALWAYS_WATCHES.has(name) || asks(WATCHERS[name], args)) return true;
  const long = args.some((arg) => /^--watch(All)?(=(?!false$).*)?$/.test(arg));
  if (long) return WITH_OPTION.has(name) || WITH_LONG_OPTION.has(name);
  return args.includes('-w') && WITH_OPTION.has(name);
}

/** Whether one of these verbs comes first, or behind options: which of those take a value is not known here. */
function asks(verbs: ReadonlySet<string> | undefined, args: readonly string[]): boolean {
  if (verbs === undefined || args.includes('--help')) return false;
  return args[0]?.startsWith('-') ? args.some((arg) => verbs.has(arg)) : verbs.has(args[0] ?? '');
}

/** The script that a package manager is asked to run. */
function scriptOf(name: string, args: readonly string[]): string | undefined {
  const options = RUNNERS[name];
  if (options === undefined) return undefined;
  const [verb = '', ...rest] = withoutOptions(args, options);
  // `yarn workspace web dev`
  if (verb === 'workspace') return scriptOf(name, rest.slice(1));
  return RUN.has(verb) ? withoutOptions(rest, options)[0] : verb;
}
