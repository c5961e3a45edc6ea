import { release as decideRelease, requireOwn } from '../domain/end.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Wanted } from '../workspace/workspace.js';
import { change } from './change.js';
import type { Caller, ReleaseInput, ReleaseOutput } from './contract.js';
import { endRuns } from './end-runs.js';
import { act, claimant, type Parts, scopeNeeds } from './parts.js';
import { takenBack } from './take-back.js';

/** release_scope: gives a scope up, with its changes kept for the next owner or taken back. */
export async function release(parts: Parts, caller: Caller, input: ReleaseInput): Promise<ReleaseOutput | Refusal> {
  await endRuns(parts, caller, input.scope);
  const taken: Taken | Refusal =
    input.changes === 'revert' ? await revert(parts, caller, input.scope) : { reverted: [] };
  if (isRefusal(taken)) return taken;
  const needs = { scopes: scopeNeeds(input.scope) };
  const reason = input.reason?.trim() || 'released';
  const ended = await act<Scope>(parts, caller, 'release_scope', needs, (draft) => ({
    answer: decideRelease(draft, claimant(parts, caller), input.scope, reason, input.changes === 'revert'),
  }));
  if (isRefusal(ended)) return ended;
  // Commands that another server runs for it are still being ended.
  return { id: ended.id, status: ended.stopping === undefined ? ended.status : 'stopping', ...taken };
}

type Taken = Pick<ReleaseOutput, 'reverted' | 'published'>;

/** Takes back what the scope changed since its last publication, path by path; lines that others changed since stay. */
async function revert(parts: Parts, caller: Caller, given: string | undefined): Promise<Taken | Refusal> {
  const own = await act<Scope>(parts, caller, 'release_scope', { scopes: scopeNeeds(given) }, (draft) => ({
    answer: requireOwn(draft, claimant(parts, caller), given),
  }));
  if (isRefusal(own)) return own;
  const wanted = await former(parts, own);
  if (isRefusal(wanted)) return act<Taken>(parts, caller, 'release_scope', {}, () => ({ answer: wanted }));
  const published = own.published === 0 ? {} : { published: own.commit === undefined ? {} : { commit: own.commit } };
  if (wanted.length === 0) return { reverted: [], ...published };
  const paths = wanted.map((file) => file.path);
  const write = { scope: given ?? own.id, paths, title: `Revert ${own.id}` };
  const done = await change(parts, caller, { tool: 'release_scope', cause: 'revert', write, wanted });
  if (isRefusal(done)) return done;
  if (!('moved' in done)) return { reverted: paths, ...published };
  return act<Taken>(parts, caller, 'release_scope', {}, () => ({ answer: changedMeanwhile(done.moved) }));
}

async function former(parts: Parts, own: Scope): Promise<readonly Wanted[] | Refusal> {
  const back = await takenBack(parts, own.id, own.published);
  if (isRefusal(back)) return back;
  return back.builtOn.size > 0 ? changedMeanwhile([...back.builtOn.keys()]) : back.wanted;
}

function changedMeanwhile(paths: readonly string[]): Refusal {
  return refuse(
    'STALE_BASE',
    `${paths.join(', ')} was changed since in the same lines; nothing was reverted.`,
    'Call release_scope with {"changes": "keep"}, or take the lines back with patch.',
    { paths: [...paths] },
  );
}
