// What `npm start` and `npm test` need before they can begin: dependencies as the lock file says, and a fresh build.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs and builds what is missing or out of date. */
export function makeReady() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Signalbox needs Node 20.19 or newer; this is ${process.versions.node}.`);
    process.exit(1);
  }
  if (isOlder(join(root, 'node_modules/.package-lock.json'), [join(root, 'package-lock.json')])) {
    console.error('Installing dependencies (better-sqlite3 may be compiled, which takes about two minutes) …');
    run('npm', ['ci', '--no-audit', '--no-fund']);
  }
  if (isOlder(join(root, 'dist/cli/main.js'), filesBelow(join(root, 'src')))) {
    console.error('Building …');
    run(process.execPath, [join(root, 'scripts/build.mjs')]);
  }
}

export function run(command, args) {
  try {
    execFileSync(command, args, { cwd: root, stdio: 'inherit' });
  } catch (error) {
    process.exit(error.status ?? 1);
  }
}

function isOlder(made, sources) {
  if (!existsSync(made)) return true;
  const since = statSync(made).mtimeMs;
  return sources.some((source) => statSync(source).mtimeMs > since);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
