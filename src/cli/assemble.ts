import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Coordinator } from '../coordinator/contract.js';
import { createControlPlane } from '../coordinator/control-plane.js';
import type { ControlPlane } from '../coordinator/control-plane-contract.js';
import { createCoordinator } from '../coordinator/coordinator.js';
import type { Parts } from '../coordinator/parts.js';
import { VainLooks } from '../coordinator/pickup.js';
import { Presence } from '../coordinator/presence.js';
import { Runs } from '../coordinator/runs.js';
import { scratchRules } from '../coordinator/scratch.js';
import { settled } from '../coordinator/settled.js';
import { unavailable } from '../coordinator/unavailable.js';
import { settleUnfinished } from '../coordinator/unfinished.js';
import { settleRuns } from '../coordinator/unfinished-runs.js';
import type { Mint } from '../domain/handle.js';
import { ignoreMatcher } from '../domain/ignore-pattern.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { openSqliteStore } from '../store/sqlite/open.js';
import { openWorkspace, recovery } from '../workspace/files/open.js';
import { findRoot, nameOfRoot } from '../workspace/files/root.js';
import { openGit } from '../workspace/git/git.js';
import { type Config, loadConfig } from './config.js';
import { lazyRunner } from './lazy-runner.js';

export interface Assembled {
  readonly parts: Parts;
  readonly config: Config;
  readonly coordinator: Coordinator;
  readonly plane: ControlPlane;
}

/** Puts right what killed processes left behind: patches, publications, temporary files. For servers, after their start. */
export async function tidy({ parts }: Assembled): Promise<void> {
  try {
    await settled(parts);
    await settlePublications(parts);
    await settleRuns(parts);
    const { saved } = await parts.workspace.sweep();
    for (const path of saved)
      parts.log(`${path} holds what somebody saved while the file was being replaced: look at it`);
  } catch (error) {
    parts.log(`leftovers of earlier processes could not be put right: ${String(error)}`);
  }
}

/** Milliseconds until a server looks for publications that were cut off: they keep people from git's index. */
const LOOK_AGAIN = { young: 1_000, none: 60_000 };

async function settlePublications(parts: Parts): Promise<void> {
  let wait = LOOK_AGAIN.none;
  try {
    if ((await settleUnfinished(parts)).length > 0) wait = LOOK_AGAIN.young;
  } catch (error) {
    parts.log(`a publication that was cut off could not be settled: ${String(error)}`);
  }
  setTimeout(() => void settlePublications(parts), wait).unref();
}

export interface AssembleOptions {
  /** Where to look for the workspace. */
  readonly from: string;
  readonly log: (sentence: string) => void;
  /** Whether whoever this server serves is still there. */
  readonly alive?: () => boolean;
}

/** Puts the rooms together over one workspace. UNAVAILABLE says what is wrong with it and what helps. */
export async function assemble({ from, log, alive = () => true }: AssembleOptions): Promise<Assembled | Refusal> {
  const root = findRoot(from);
  if (isRefusal(root)) return root;
  const config = await loadConfig(root);
  if (isRefusal(config)) return config;
  try {
    const parts = await openParts(nameOfRoot(from, root), config, log, alive);
    return isRefusal(parts) ? parts : assembled(parts, config);
  } catch (error) {
    return unavailable(error);
  }
}

function assembled(parts: Parts, config: Config): Assembled {
  return { parts, config, coordinator: createCoordinator(parts), plane: createControlPlane(parts) };
}

async function openParts(
  root: string,
  config: Config,
  log: (sentence: string) => void,
  alive: () => boolean,
): Promise<Parts | Refusal> {
  const files = { unprotect: config.unprotect };
  const workspace = await openWorkspace({ root, settings: files });
  const folder = join(workspace.root, '.signalbox');
  const git = await openGit(workspace.root);
  if (isRefusal(git)) return git;
  const settings = { ...config.settings, folds: workspace.folds };
  const store = await openSqliteStore({ folder, settings, recovery: recovery(workspace, files) });
  const scratch = ignoreMatcher(config.scratch, workspace.folds);
  return {
    store,
    workspace,
    git,
    log,
    runner: lazyRunner({
      root: workspace.root,
      folder,
      containment: config.containment,
      lease: config.settings.lease,
      scratch: scratchRules({ git, scratch }),
    }),
    settings,
    rules: config.rules,
    mint: mintFrom(readKey(folder)),
    presence: new Presence(store, alive, log),
    runs: new Runs(),
    scratch,
    processTickets: new Map(),
    vain: new VainLooks(),
  };
}

/** The secret from which handles are made: it never leaves this folder, and no handle is ever stored. */
function readKey(folder: string): Buffer {
  const path = join(folder, 'key');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeKey(path);
  const key = readFileSync(path);
  if (key.length < 32)
    throw new Error(`${path} is cut off: remove it and start again (handles given so far become void)`);
  return key;
}

/** Linked into place, so that of two servers starting at once neither reads half a key nor replaces the other's. */
function writeKey(path: string): void {
  const temp = `${path}.${process.pid}`;
  writeFileSync(temp, randomBytes(32), { mode: 0o600 });
  try {
    linkSync(temp, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temp);
  }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The last one is kept: a call asks for the same secret several times. */
function mintFrom(key: Buffer): Mint {
  let last = { text: '', secret: '' };
  return (id, tenure) => {
    const text = `${id}:${tenure}`;
    if (last.text !== text) last = { text, secret: secretOf(key, text) };
    return last.secret;
  };
}

function secretOf(key: Buffer, text: string): string {
  const digest = createHmac('sha256', key).update(text).digest();
  return [...digest.subarray(0, 6)].map((byte) => ALPHABET[byte % 32]).join('');
}
