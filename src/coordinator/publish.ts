import { hash as digest } from 'node:crypto';
import { stillWaiting } from '../domain/authority.js';
import { publish as decidePublish, requireOwn } from '../domain/end.js';
import type { Content } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { type Artifact, artifactId, type Scope, type ScopeId } from '../domain/scope.js';
import { inArgument, wrongArgument } from './argument.js';
import { commitOf, type Staged } from './commit.js';
import type { Caller, PublishInput, PublishOutput } from './contract.js';
import { endDirect } from './end-direct.js';
import { act, claimant, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { presentFile } from './present.js';
import { titleFrom } from './title.js';

interface Made {
  readonly scope: ScopeId;
  readonly artifacts: readonly Artifact[];
  readonly unblocked: readonly ScopeId[];
}

/** publish_output: stores the outputs, commits what this scope changed, marks it done and unblocks whoever waits for it. */
export async function publish(parts: Parts, caller: Caller, input: PublishInput): Promise<PublishOutput | Refusal> {
  const status = input.status ?? 'done';
  if (status !== 'progress') await endDirect(parts, caller, input.scope);
  const own = await act<Scope>(parts, caller, 'publish_output', { scopes: scopeNeeds(input.scope) }, (draft) => ({
    answer: activeOwn(requireOwn(draft, claimant(parts, caller), input.scope), input.scope),
  }));
  if (isRefusal(own)) return own;
  const outputs = await collect(parts, own, input, status);
  if (isRefusal(outputs)) return refusedPublication(parts, caller, outputs);
  await parts.store.keep(outputs.contents);
  const staged = status === 'failed' ? undefined : await commitOf(parts, caller, own, input);
  if (isRefusal(staged)) return refusedPublication(parts, caller, staged);
  const made = await record(parts, caller, own, input, outputs.artifacts, staged);
  if (isRefusal(made)) return made;
  return {
    id: made.scope,
    status: status === 'progress' ? 'active' : status,
    ...(staged === undefined
      ? {}
      : { commit: staged.commit, ...(staged.branch === undefined ? {} : { branch: staged.branch }) }),
    artifacts: made.artifacts,
    unblocked: made.unblocked,
  };
}

function activeOwn(own: Scope | Refusal, given: string | undefined): Scope | Refusal {
  return isRefusal(own) || own.status === 'active' ? own : stillWaiting(own, given);
}

function refusedPublication(parts: Parts, caller: Caller, refusal: Refusal): Promise<PublishOutput | Refusal> {
  return act<PublishOutput>(parts, caller, 'publish_output', {}, () => ({ answer: refusal }));
}

interface Outputs {
  readonly artifacts: readonly Omit<Artifact, 'id'>[];
  readonly contents: readonly Content[];
}

/** What is promised in `produces` and what the call names, each with its content at this moment. */
async function collect(parts: Parts, own: Scope, input: PublishInput, status: string): Promise<Outputs | Refusal> {
  const named = await namedArtifacts(parts, input);
  if (isRefusal(named)) return named;
  const promised =
    status === 'done' ? own.contract.produces.filter(({ path }) => !named.some((other) => other.path === path)) : [];
  const artifacts: Omit<Artifact, 'id'>[] = [];
  const contents: Content[] = [];
  const missing: string[] = [];
  for (const wish of [...named, ...promised]) {
    const bytes = await contentOf(parts, wish);
    if (isRefusal(bytes)) return bytes;
    if (bytes === null) {
      missing.push(wish.path ?? wish.type);
      continue;
    }
    const hash = digest('sha256', bytes);
    artifacts.push({ type: wish.type, hash, ...(wish.path === undefined ? {} : { path: wish.path }) });
    contents.push({ hash, bytes });
  }
  return missing.length > 0 ? incomplete(own, missing, input) : { artifacts, contents };
}

type Named = NonNullable<PublishInput['artifacts']>;

/** The outputs that the call names, with canonical paths. */
async function namedArtifacts(parts: Parts, { artifacts = [] }: PublishInput): Promise<Named | Refusal> {
  const named: Named[number][] = [];
  for (const [at, artifact] of artifacts.entries()) {
    const argument = `artifacts[${at}]`;
    if (artifact.path === undefined && artifact.content === undefined) {
      const next = 'Give each artifact a path in the workspace, or its content.';
      return wrongArgument(argument, 'a path or content', 'neither', next);
    }
    const path = artifact.path === undefined ? undefined : await parts.workspace.resolve(artifact.path, 'read');
    if (isRefusal(path)) return inArgument(path, `${argument}.path`);
    named.push({ ...artifact, ...(path === undefined ? {} : { path }) });
  }
  return named;
}

async function contentOf(parts: Parts, { path, content }: Named[number]): Promise<Uint8Array | null | Refusal> {
  if (content !== undefined) return Buffer.from(content, 'utf8');
  const present = await presentFile(parts, path ?? '');
  return isRefusal(present) ? present : present.bytes;
}

function incomplete(own: Scope, missing: readonly string[], { scope = own.id, summary }: PublishInput): Refusal {
  const call = JSON.stringify({ scope, summary: titleFrom(summary), status: 'progress' });
  return refuse(
    'INCOMPLETE',
    `${own.id} has not produced ${missing.join(', ')}.`,
    `Write what is missing with patch, then publish again; publish_output ${call} commits what is there and keeps the locks.`,
    { scope: own.id, missing: [...missing] },
  );
}

/** The publication itself, in one transaction: the commit moves HEAD under the same lock that records it. */
async function record(
  parts: Parts,
  caller: Caller,
  own: Scope,
  input: PublishInput,
  outputs: readonly Omit<Artifact, 'id'>[],
  staged: Staged | undefined,
): Promise<Made | Refusal> {
  const status = input.status ?? 'done';
  try {
    const made = await act<Made>(parts, caller, 'publish_output', { scopes: [own.id] }, (draft) => {
      const answer = draft.attempt<Made>(() => {
        const again = activeOwn(requireOwn(draft, claimant(parts, caller), input.scope ?? own.id), input.scope);
        if (isRefusal(again)) return again;
        if (again.tenure !== own.tenure || again.changes !== own.changes) return workedOn(own);
        const artifacts = outputs.map((output, at) => ({
          ...output,
          id: artifactId(draft.view.state.artifactCount + 1 + at),
        }));
        const commit = staged === undefined ? {} : { commit: staged.commit };
        const unblocked = decidePublish(draft, again, {
          scope: own.id,
          status,
          summary: input.summary,
          artifacts,
          ...commit,
        });
        const moved = staged?.move();
        return moved ?? { scope: own.id, artifacts, unblocked };
      });
      return { answer, life: scopeAlive(caller, own.id) };
    });
    await staged?.close(true);
    return made;
  } catch (error) {
    await staged?.close(false);
    throw error;
  }
}

function workedOn(own: Scope): Refusal {
  return refuse(
    'BUSY',
    `${own.id} was changed while it was being published; nothing was published.`,
    'Call publish_output again when your other calls are answered.',
    { scope: own.id },
  );
}
