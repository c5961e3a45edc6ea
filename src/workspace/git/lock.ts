import { readFileSync, rmSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Refusal, refuse } from '../../domain/refusal.js';
import { errno, ifThere } from '../files/errno.js';
import type { Repository } from './repository.js';

/** Editors take git's lock for moments, again and again: only a lock that outlasts this many tries blocks. */
const TRIES = 40;
const PAUSE = 25;

/**
 * Git's own lock on the index, which every git command that writes the index respects.
 * Ours names the commit that it was taken for: a lock that a killed process left behind can be told from a person's.
 */
export async function takeIndexLock(repository: Repository, commit: string): Promise<Refusal | undefined> {
  const temp = tempOf(repository, commit);
  await writeFile(temp, markerOf(commit));
  try {
    // A link, not an exclusive create and then a write: the lock is never there without its marker.
    if (await isFree(() => link(temp, lockOf(repository)))) return undefined;
    return heldLock(repository);
  } finally {
    await rm(temp, { force: true });
  }
}

/** BLOCKED where somebody holds the lock for longer than moments. */
export async function indexLockHeld(repository: Repository): Promise<Refusal | undefined> {
  const look = async () => {
    if (lockText(repository) !== undefined) throw Object.assign(new Error('held'), { code: 'EEXIST' });
  };
  return (await isFree(look)) ? undefined : heldLock(repository);
}

export function ownsIndexLock(repository: Repository, commit: string): boolean {
  return lockText(repository) === markerOf(commit);
}

export function releaseIndexLock(repository: Repository, commit: string): void {
  rmSync(tempOf(repository, commit), { force: true });
  if (ownsIndexLock(repository, commit)) rmSync(lockOf(repository), { force: true });
}

async function isFree(attempt: () => Promise<void>): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (errno(error) !== 'EEXIST') throw error;
      if (tries === TRIES) return false;
      await pause(PAUSE);
    }
  }
}

function heldLock(repository: Repository): Refusal {
  const lock = lockOf(repository);
  const commit = /^signalbox (\S+)/.exec(lockText(repository) ?? '')?.[1];
  const sentence =
    commit === undefined
      ? "Another git command holds the repository's index."
      : 'Another publication holds the index of the repository.';
  const next = `Call publish_output again in a moment. If no git command is running, remove ${lock}.`;
  return refuse('BLOCKED', sentence, next, { lock, ...(commit === undefined ? {} : { commit }) });
}

function lockText(repository: Repository): string | undefined {
  return ifThere(() => readFileSync(lockOf(repository), 'latin1'));
}

function lockOf(repository: Repository): string {
  return join(repository.dir, 'index.lock');
}

function tempOf(repository: Repository, commit: string): string {
  return join(repository.dir, `signalbox-${commit}.lock`);
}

function markerOf(commit: string): string {
  return `signalbox ${commit}\n`;
}
