import { execFile } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stage } from './stage.js';

const FOLDERS = 200;
const FILES = 10;

const LONG_AGO = new Date('2020-01-01');

const git = promisify(execFile);

/** A workspace that is a git repository with 2,000 files, ten in each folder `src/part<n>/`, all committed. */
export async function repository(stage: Stage): Promise<string> {
  const paths = Array.from({ length: FOLDERS }, (_, folder) =>
    Array.from({ length: FILES }, (_, file) => `src/part${folder}/file${file}.txt`),
  ).flat();
  const files = Object.fromEntries(paths.map((path) => [path, `first of ${path}\nsecond\nthird\n`]));
  const root = stage.folder({ ...files, '.gitignore': '.signalbox/\n' });
  // Files as young as the index would be hashed anew by every `git status`.
  for (const path of paths) utimesSync(join(root, path), LONG_AGO, LONG_AGO);
  const author = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org'];
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'All files'],
  ])
    await git('git', [...author, ...args], { cwd: root });
  return root;
}
