import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Intent } from '../../domain/intent.js';
import type { Prepared, Wanted, Workspace } from '../workspace.js';
import { openWorkspace, recovery } from './open.js';
import { edit, preparedIn } from './wanted.testsuite.js';

export let root: string;
export let workspace: Workspace;

export const at = (path: string) => join(root, path);
export const kept = () => readdirSync(at('.signalbox/kept'));

/** Makes an empty folder, and opens it. */
export async function openAnew(): Promise<void> {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
  root = mkdtempSync(join(tmpdir(), 'signalbox-recovery-'));
  workspace = await openWorkspace({ root });
}

beforeEach(openAnew);
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Every path with its content and mode; folders as such. */
export function tree(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (name.startsWith('.signalbox/') || name === '.signalbox') continue;
    const stat = lstatSync(at(name));
    all[name] = stat.isDirectory()
      ? 'folder'
      : `${(stat.mode & 0o777).toString(8)} ${readFileSync(at(name), 'latin1')}`;
  }
  return all;
}

export const prepared = (...wanted: Wanted[]) => preparedIn(workspace, wanted);

/** What the store would hand to recovery. */
function stored(
  change: Prepared,
  rebooted: boolean,
): { intent: Intent; content: (hash: string) => Uint8Array | undefined } {
  const contents = new Map(change.contents.map((each) => [each.hash, each.bytes]));
  return { intent: { files: change.files, rebooted }, content: (each) => contents.get(each) };
}

export function undone(change: Prepared, rebooted = false) {
  const { intent, content } = stored(change, rebooted);
  return recovery(workspace).undo(intent, content);
}

/** @param recorded what the ledger has of each path; what the change made of it, where left out. */
export function redone(change: Prepared, recorded?: (path: string) => string | null | undefined) {
  const { intent, content } = stored(change, true);
  const made = new Map(change.files.map(({ path, after }) => [path, after]));
  return recovery(workspace).redo(intent, content, recorded ?? ((path) => made.get(path)));
}

export function many(): Promise<Prepared> {
  for (const name of ['gone', 'replaced', 'mode', 'thing']) writeFileSync(at(name), name, { mode: 0o640 });
  return prepared(
    edit('gone', 'gone', null),
    edit('thing', 'thing', null),
    edit('thing/inside', null, 'x'),
    edit('replaced', 'replaced', 'new'),
    edit('mode', 'mode', 'mode', 0o755),
    edit('fresh', null, 'f'),
    edit('p/q/one', null, '1'),
    edit('p/q/two', null, '2'),
  );
}
