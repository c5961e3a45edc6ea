import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { levelsHere } from '../../src/processes/bench.testsuite.js';
import type { Containment } from '../../src/processes/runner.js';
import { type Agent, stdioAgent } from './agents.js';
import { newWorkspace, type TestWorkspace } from './workspace.js';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Whether a program is here and works. Where not, it is said which tests are skipped for that reason. */
export function have(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(`skipped: what needs ${[program, ...args].join(' ')}, which does not work here`);
    return false;
  }
}

/** The levels at which these tests run here; `levelsHere` prints why one is missing. */
export const LEVELS: readonly Containment[] = (await levelsHere()).filter((level) => level !== 'none');

/** A repository whose commands run at this level, with an agent that has claimed all of it. */
export interface Project extends TestWorkspace {
  readonly agent: Agent;
  readonly scope: string;
  /** Runs a command for the scope; it must end with 0. */
  // biome-ignore lint/suspicious/noExplicitAny: as the structured content of an agent's answers.
  run(command: string, more?: object): Promise<any>;
}

/** A live command sees the live tree, so it is `confined` even where more is possible. */
const CONFINED = 'processes:\n  all:\n    match: ["*"]\n    live: true\n';

export async function newProject(
  level: Containment,
  files: { readonly [path: string]: string },
  packages: readonly string[] = [],
): Promise<Project> {
  const settings = level === 'confined' ? { 'signalbox.yaml': CONFINED } : {};
  const workspace = newWorkspace({ '.gitignore': 'node_modules/\ndist/\n', ...files, ...settings });
  giveModules(workspace.root, packages);
  const agent = await stdioAgent(workspace.root, 'ada');
  const { scope } = await agent.ok('claim_scope', { title: 'All of it', units: ['./'] });
  return {
    ...workspace,
    agent,
    scope,
    async run(command, more = {}) {
      const ran = await agent.ok('run', { scope, command, ...more });
      if (ran.exit_code !== 0 || ran.containment !== level)
        throw new Error(`${command}: ${ran.state} ${ran.exit_code} at level ${ran.containment}: ${ran.output}`);
      return ran;
    },
  };
}

/** Paths of what a run changed, sorted. */
export function paths(found: readonly { readonly path: string }[]): string[] {
  return found.map(({ path }) => path).toSorted();
}

/** Gives a repository packages of this project's own, with all that they need. */
function giveModules(root: string, packages: readonly string[]): void {
  const given = new Set<string>();
  const give = (name: string): void => {
    const from = join(MODULES, name);
    if (given.has(name) || !existsSync(from)) return;
    given.add(name);
    copyTree(from, join(root, 'node_modules', name));
    const { bin, ...manifest } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    const short = name.replace(/^.*\//, '');
    const programs = typeof bin === 'string' ? { [short]: bin } : { ...bin };
    mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
    for (const [program, path] of Object.entries(programs))
      symlinkSync(join('..', name, String(path)), join(root, 'node_modules/.bin', program));
    for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies'])
      for (const needed of Object.keys(manifest[kind] ?? {})) give(needed);
  };
  for (const name of packages) give(name);
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isFile()) linkOrCopy(source, target);
  }
}

/** The tools only read their own files. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** A package as npm would pack it, at this path of the repository. Its program `dep` says its version. */
export function packDep({ root, write }: TestWorkspace, path: string, version: string): void {
  const at = (name: string): string => `node_modules/.packing/package/${name}`;
  write(at('package.json'), JSON.stringify({ name: 'dep', version, bin: { dep: 'cli.js' } }));
  write(at('cli.js'), `#!/usr/bin/env node\nconsole.log('dep ${version}');\n`);
  for (let n = 0; n < 200; n++) write(at(`lib/${n % 20}/${n}.js`), `module.exports = ${n};\n`);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const from = join(root, 'node_modules/.packing');
  execFileSync('tar', ['-czf', join(root, path), '-C', from, 'package']);
  execFileSync('rm', ['-rf', join(root, 'node_modules/.packing')]);
}
