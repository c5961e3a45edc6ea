import { join } from 'node:path';
import type { Coordinator } from '../coordinator/contract.js';
import { createControlPlane } from '../coordinator/control-plane.js';
import type { ControlPlane } from '../coordinator/control-plane-contract.js';
import { createCoordinator } from '../coordinator/coordinator.js';
import type { Parts } from '../coordinator/parts.js';
import { VainLooks } from '../coordinator/pickup.js';
import { Presence } from '../coordinator/presence.js';
import { retain } from '../coordinator/retention.js';
import { Runs } from '../coordinator/runs.js';
import { scratchRules } from '../coordinator/scratch.js';
import { settled } from '../coordinator/settled.js';
import { unavailable } from '../coordinator/unavailable.js';
import { settleUnfinished } from '../coordinator/unfinished.js';
import { settleRuns } from '../coordinator/unfinished-runs.js';
import { ignoreMatcher } from '../domain/ignore-pattern.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { openSqliteStore } from '../store/sqlite/open.js';
import { openWorkspace, recovery } from '../workspace/files/open.js';
import { findRoot, nameOfRoot } from '../workspace/files/root.js';
import { openGit } from '../workspace/git/git.js';
import { CONFIG_FILE, type Config, loadConfig } from './config.js';
import { configStamp, Following } from './following.js';
import { mintFrom, readKey } from './key.js';
import { lazyRunner } from './lazy-runner.js';

export interface Assembled {
  readonly parts: Parts;
  readonly config: Config;
  readonly coordinator: Coordinator;
  /** The coordinator, with the configuration as it is now; or what is wrong with that. */
  readonly available: () => Promise<Coordinator | Refusal>;
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
    await retain(parts);
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
  const stamp = configStamp(root);
  const config = await loadConfig(root);
  if (isRefusal(config)) return config;
  try {
    const opened = await openParts({ name: nameOfRoot(from, root), root, stamp, config, log, alive });
    return isRefusal(opened) ? opened : assembled(opened.parts, config, opened.following);
  } catch (error) {
    return unavailable(error);
  }
}

function assembled(parts: Parts, config: Config, following: Following): Assembled {
  const coordinator = createCoordinator(parts);
  const available = async () => {
    await following.refresh();
    return following.fault ?? coordinator;
  };
  return { parts, config, coordinator, available, plane: createControlPlane(parts) };
}

interface Opening {
  /** The root as its caller names it. */
  readonly name: string;
  readonly root: string;
  readonly stamp: string;
  readonly config: Config;
  readonly log: (sentence: string) => void;
  readonly alive: () => boolean;
}

async function openParts({
  name,
  root,
  stamp,
  config,
  log,
  alive,
}: Opening): Promise<{ readonly parts: Parts; readonly following: Following } | Refusal> {
  // The rooms hold these as long as the server runs: what the file says later is written into them.
  const unprotect = [...config.unprotect];
  const workspace = await openWorkspace({ root: name, settings: { unprotect } });
  const { folds } = workspace;
  const folder = join(workspace.root, '.signalbox');
  const git = await openGit(workspace.root);
  if (isRefusal(git)) return git;
  const settings = { ...config.settings, folds };
  const rules = { ...config.rules };
  let ignored = ignoreMatcher(config.scratch, folds);
  const following = new Following(root, stamp, (now) => {
    Object.assign(settings, now.settings, { folds });
    Object.assign(rules, now.rules);
    unprotect.splice(0, unprotect.length, ...now.unprotect);
    ignored = ignoreMatcher(now.scratch, folds);
    log(`${CONFIG_FILE} has changed, and is in force; but containment and serve.hosts are as they were at the start`);
  });
  const scratch = (path: string) => ignored(path);
  const refresh = () => following.refresh();
  const store = await openSqliteStore({ folder, settings, refresh, recovery: recovery(workspace, { unprotect }) });
  const parts: Parts = {
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
    rules,
    mint: mintFrom(readKey(folder)),
    presence: new Presence(store, alive, log),
    runs: new Runs(),
    scratch,
    processTickets: new Map(),
    vain: new VainLooks(),
  };
  return { parts, following };
}
