import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import type { Workspace } from '../workspace.js';
import { openWorkspace, recovery } from './open.js';
import { isWeak } from './walk.js';

const TRIES = 2_000;

/** Swaps a folder of the workspace for a link that leads outside and back, as fast as it can. */
const ATTACKER = `
  const { renameSync, rmSync, symlinkSync, unlinkSync } = require('node:fs');
  const [folder, outside] = process.argv.slice(2);
  process.once('message', () => process.exit(0));
  process.send('ready');
  (function swap() {
    for (let i = 0; i < 50; i++) {
      renameSync(folder, folder + '.aside');
      try {
        symlinkSync(outside, folder);
        unlinkSync(folder);
        renameSync(folder + '.aside', folder);
      } catch {
        // The other side made the missing folder anew: away with it.
        for (let back = false; !back; ) {
          try {
            rmSync(folder, { recursive: true, force: true });
            renameSync(folder + '.aside', folder);
            back = true;
          } catch {}
        }
      }
    }
    setImmediate(swap);
  })();
`;

interface Tally {
  read: number;
  changed: number;
  refused: number;
  leaked: number;
}

/** One read and one change of a file in the swapped folder, each as the coordinator would do it. */
async function attempt(workspace: Workspace, number: number, tally: Tally): Promise<void> {
  const looked = await workspace.look('dir/file');
  if (isRefusal(looked) || looked.kind !== 'file') tally.refused += 1;
  else if (Buffer.from(looked.file.bytes).includes('secret')) tally.leaked += 1;
  else tally.read += 1;
  const base = !isRefusal(looked) && looked.kind === 'file' ? looked.file.version : null;
  const change = await workspace.prepare([
    { path: 'dir/file', base, bytes: Buffer.from(`inside ${number}`) },
    { path: `dir/new-${number}`, base: null, bytes: Buffer.from('new') },
  ]);
  if (isRefusal(change)) return;
  if (workspace.verify(change).length > 0) return workspace.discard(change);
  const contents = new Map(change.contents.map((each) => [each.hash, each.bytes]));
  try {
    workspace.apply(change);
    tally.changed += 1;
  } catch {
    recovery(workspace).undo({ files: change.files, rebooted: false }, (hash) => contents.get(hash));
  }
}

it.skipIf(isWeak())(
  'promise 9: nothing is read or written outside while a folder is swapped for a link',
  async () => {
    const top = mkdtempSync(join(tmpdir(), 'signalbox-race-'));
    onTestFinished(() => rmSync(top, { recursive: true, force: true }));
    const [root, outside] = [join(top, 'repo'), join(top, 'outside')];
    for (const folder of [join(root, 'dir'), outside]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(root, 'dir/file'), 'inside');
    writeFileSync(join(outside, 'file'), 'secret');
    writeFileSync(join(top, 'attacker.cjs'), ATTACKER);
    const attacker = fork(join(top, 'attacker.cjs'), [join(root, 'dir'), outside], { execArgv: [] });
    const workspace = await openWorkspace({ root });
    const tally: Tally = { read: 0, changed: 0, refused: 0, leaked: 0 };
    try {
      await once(attacker, 'message');
      for (let number = 0; number < TRIES; number++) await attempt(workspace, number, tally);
    } finally {
      const gone = once(attacker, 'exit');
      attacker.send('stop');
      await gone;
    }
    expect(tally.leaked).toBe(0);
    expect(readdirSync(outside)).toEqual(['file']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('secret');
    // Otherwise the race was not one.
    expect(tally.read).toBeGreaterThan(0);
    expect(tally.changed).toBeGreaterThan(0);
    expect(tally.refused).toBeGreaterThan(0);
  },
  60_000,
);
