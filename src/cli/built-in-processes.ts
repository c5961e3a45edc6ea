import type { NamedProcess } from '../coordinator/parts.js';
import { installsIn } from '../domain/installs.js';
import { startsServer, startsWatcher } from '../domain/live-programs.js';

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
const PLAIN = { match: [], owns: [], env: {}, network: true, live: false, onFailure: 'nothing', sockets: [] } as const;

/** Package managers change the dependency folders of the whole tree, and manifest and lock file: one at a time. */
const INSTALL: NamedProcess = {
  ...PLAIN,
  name: 'install',
  recognizes: (command) => installsIn(command).length > 0,
  nearest: MANIFESTS,
};

/** A server holds its port: one at a time. */
const DEV: NamedProcess = { ...PLAIN, name: 'dev', recognizes: startsServer, live: true };

/** Watchers stand in nobody's way. */
const WATCH: NamedProcess = { ...PLAIN, name: 'watch', recognizes: startsWatcher, live: true };

/** What is known of commands without any configuration; a process of the same name in `signalbox.yaml` replaces it. */
export const BUILT_IN: readonly NamedProcess[] = [INSTALL, DEV, WATCH];

export const BUILT_IN_CAPACITY: ReadonlyMap<string, number> = new Map([[WATCH.name, 1000]]);
