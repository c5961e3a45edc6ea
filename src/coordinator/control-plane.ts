import { unknownScope } from '../domain/authority.js';
import { parseHandle } from '../domain/handle.js';
import type { Refusal } from '../domain/refusal.js';
import { artifacts, storedContent } from './artifacts.js';
import { blame } from './blame.js';
import type { ControlPlane } from './control-plane-contract.js';
import { declare } from './declare.js';
import { scopeDiff } from './history.js';
import { amend, cancel, note, pause, release, reopen, resume } from './operate.js';
import type { Parts } from './parts.js';
import { runRecord } from './run-record.js';
import { scopeDetail, scopePage } from './scope-detail.js';
import { orUnavailable } from './unavailable.js';
import { undo } from './undo.js';

const DIFF_LINES = 100_000;

/** What people and programs do beyond the use cases of agents, over one workspace, ready for any door. */
export function createControlPlane(parts: Parts): ControlPlane {
  return {
    declare: (caller, scopes) => orUnavailable(declare(parts, caller, 'declare', scopes)),
    scopes: (_, input) => orUnavailable(scopePage(parts, input)),
    scope: (_, id) => orUnavailable(scopeDetail(parts, id)),
    diff: (_, id) => orUnavailable(diff(parts, id)),
    amend: (caller, id, input) => orUnavailable(amend(parts, caller, id, input)),
    pause: (caller, id, input) => orUnavailable(pause(parts, caller, id, input)),
    resume: (caller, id, input) => orUnavailable(resume(parts, caller, id, input)),
    cancel: (caller, id, input) => orUnavailable(cancel(parts, caller, id, input)),
    reopen: (caller, id, input) => orUnavailable(reopen(parts, caller, id, input)),
    release: (caller, id, input) => orUnavailable(release(parts, caller, id, input)),
    note: (caller, id, text) => orUnavailable(note(parts, caller, id, text)),
    undo: (caller, id, input) => orUnavailable(undo(parts, caller, id, input)),
    blame: (_, path) => orUnavailable(blame(parts, path)),
    artifacts: (_, input) => orUnavailable(artifacts(parts, input)),
    content: (_, hash) => orUnavailable(storedContent(parts, hash)),
    run: (_, id) => orUnavailable(runRecord(parts, id)),
  };
}

async function diff(parts: Parts, given: string): Promise<string | Refusal> {
  const id = parseHandle(given)?.id;
  const known = id === undefined ? undefined : await parts.store.view({ scopes: [id] }, (view) => view.scope(id)?.id);
  return known === undefined ? unknownScope(given) : scopeDiff(parts, known, { maxLines: DIFF_LINES });
}
