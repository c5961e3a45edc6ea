import type { z } from 'zod';
import type { Coordinator } from '../coordinator/contract.js';
import type { ControlPlane, ScopeDetail } from '../coordinator/control-plane-contract.js';
import { parseHandle } from '../domain/handle.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Operation, OperationName, Operations } from '../wire/operations.js';
import { callerOf, mayNot, type Sender } from './rest-caller.js';

/** What the routes work with. */
export interface Planes {
  readonly coordinator: Coordinator;
  readonly plane: ControlPlane;
}

/** One request: who sent it, and its parsed input. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly sender: Sender;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The revisions that If-Match names. */
  readonly match: readonly string[] | undefined;
}

export interface Reply<Body = object | string | Uint8Array> {
  readonly body: Body;
  /** The usual one of its operation where left out. */
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
}

export type Handler<C = Call, Body = object | string | Uint8Array> = (
  planes: Planes,
  call: C,
) => Promise<Reply<Body> | Refusal>;

type Parsed<O, Part extends string> = O extends { readonly [part in Part]: infer S extends z.ZodType }
  ? z.infer<S>
  : undefined;
type Answer<O extends Operation> = O['answer'] extends z.ZodType ? Lasting<z.infer<O['answer']>> : string | Uint8Array;
/** Whatever is told may not be changed either. */
type Lasting<T> = T extends object ? { readonly [key in keyof T]: Lasting<T[key]> } : T;
type Handlers = {
  readonly [name in OperationName]: Handler<
    Call<Parsed<Operations[name], 'params'>, Parsed<Operations[name], 'query'>, Parsed<Operations[name], 'body'>>,
    Answer<Operations[name]>
  >;
};

/** What each route does. */
export const HANDLERS: Handlers = {
  async declareScopes({ plane }, { sender, body }) {
    const scopes = 'scopes' in body ? body.scopes : [body];
    const reserved = scopes.some(({ priority, checks }) => priority !== undefined || checks !== undefined);
    const denied = reserved ? mayNot(sender.identity, 'operator', 'set priority or checks') : undefined;
    const ids = denied ?? (await plane.declare(callerOf(sender), scopes));
    if (isRefusal(ids)) return 'scopes' in body ? ids : ofOne(ids);
    return { body: { ids }, headers: { Location: `/control-plane/scopes/${ids[0]}` } };
  },
  listScopes: async ({ plane }, { sender, query }) => reply(await plane.scopes(callerOf(sender), query)),
  getScope: async ({ plane }, { sender, params }) => scopeReply(await plane.scope(callerOf(sender), params.id)),
  async amendScope(planes, call) {
    const done = await amended(planes, call);
    return isRefusal(done) ? done : scopeReply(await planes.plane.scope(callerOf(call.sender), done.id));
  },
  claimNextScope: async ({ coordinator }, { sender, body }) =>
    claimReply(await coordinator.claim(callerOf(sender, body.agent), body)),
  async claimScope({ coordinator }, { sender, params, body }) {
    const scope = ownScope(params.id, body.scope);
    return claimReply(
      isRefusal(scope) ? scope : await coordinator.claim(callerOf(sender, body.agent), { ...body, scope }),
    );
  },
  async publishOutput({ coordinator }, { sender, params, body }) {
    const scope = ownScope(params.id, body.scope);
    const done = isRefusal(scope) ? scope : await coordinator.publish(callerOf(sender), { ...body, scope });
    return isRefusal(done) ? done : { body: done, status: done.status === 'checking' ? 202 : 200 };
  },
  async releaseScope(planes, { sender, params, body: { scope: given, reason, changes } }) {
    const why = reason === undefined ? {} : { reason };
    if (given === undefined) return takenAway(planes, sender, params.id, why, changes);
    const scope = ownScope(params.id, given);
    const how = { ...why, ...(changes === undefined ? {} : { changes }) };
    return reply(isRefusal(scope) ? scope : await planes.coordinator.release(callerOf(sender), { ...how, scope }));
  },
  noteScope: async ({ plane }, { sender, params, body }) =>
    reply(await plane.note(person(sender), params.id, body.text)),
  async diffScope({ plane }, { sender, params }) {
    const diff = await plane.diff(callerOf(sender), params.id);
    return isRefusal(diff) ? diff : { body: diff };
  },
  undoScope: async ({ plane }, { sender, params, body }) => reply(await plane.undo(person(sender), params.id, body)),
  blame: async ({ plane }, { sender, query }) => reply(await plane.blame(callerOf(sender), query.path)),
  listArtifacts: async ({ plane }, { sender, query }) => reply(await plane.artifacts(callerOf(sender), query)),
  async getArtifact({ plane }, { sender, params }) {
    const stored = await plane.content(callerOf(sender), params.hash);
    if (isRefusal(stored)) return stored;
    return { body: stored.bytes, headers: { ETag: `"${stored.hash}"`, 'Content-Disposition': 'attachment' } };
  },
  getRun: async ({ plane }, { sender, params }) => reply(await plane.run(callerOf(sender), params.id)),
  read: async ({ coordinator }, { sender, body }) => reply(await coordinator.read(callerOf(sender), body)),
  patch: async ({ coordinator }, { sender, body }) => reply(await coordinator.patch(callerOf(sender), body)),
  run: async ({ coordinator }, { sender, body }) => reply(await coordinator.run(callerOf(sender), body)),
};

/** A refusal of the only scope that was sent: there is no list that its place could be in. */
function ofOne(refusal: Refusal): Refusal {
  const { argument } = refusal.facts;
  if (typeof argument !== 'string') return refusal;
  return { ...refusal, facts: { ...refusal.facts, argument: argument.replace(/^scopes\[0\]\.?/, '') || 'body' } };
}

function reply<T extends object>(answer: T | Refusal): Reply<T> | Refusal {
  return isRefusal(answer) ? answer : { body: answer };
}

function scopeReply(answer: ScopeDetail | Refusal): Reply<ScopeDetail> | Refusal {
  return isRefusal(answer) ? answer : { body: answer, headers: { ETag: `"${answer.revision}"` } };
}

function claimReply<T extends { readonly status: string }>(answer: T | Refusal): Reply<T> | Refusal {
  if (isRefusal(answer)) return answer;
  return { body: answer, status: answer.status === 'waiting' ? 202 : 200 };
}

/** Decisions about other people's scopes are on record under the name of the token, whatever a header says. */
function person(sender: Sender) {
  return callerOf(sender, sender.identity.name);
}

type AmendCall = Parameters<Handlers['amendScope']>[1];

async function amended({ plane }: Planes, { sender, params: { id }, body, match }: AmendCall) {
  const { status, reason, ...fields } = body;
  const seen = match === undefined ? {} : { match };
  const why = { ...seen, ...(reason === undefined ? {} : { reason }) };
  const by = person(sender);
  if (status === undefined) return plane.amend(by, id, { ...fields, ...seen });
  if (status === 'paused') return plane.pause(by, id, why);
  if (status === 'cancelled') return plane.cancel(by, id, why);
  const now = await plane.scope(by, id);
  if (isRefusal(now)) return now;
  return now.status === 'paused' ? plane.resume(by, id, why) : plane.reopen(by, id, why);
}

async function takenAway(
  { plane }: Planes,
  sender: Sender,
  id: string,
  why: { readonly reason?: string },
  changes: string | undefined,
) {
  const denied = mayNot(sender.identity, 'operator', 'release a scope without its handle');
  if (denied !== undefined) return denied;
  if (changes === 'revert') {
    const next = 'Pass the handle of the scope as scope, or leave changes out.';
    return refuse('INVALID', 'Only its owner reverts the changes of a scope.', next, { argument: 'changes' });
  }
  const done = await plane.release(person(sender), id, why);
  return isRefusal(done) ? done : { body: { ...done, reverted: [] } };
}

/** The scope that a path names, with the secret that the body has. */
function ownScope(id: string, given: string | undefined): string | Refusal {
  if (given === undefined || parseHandle(given)?.id === parseHandle(id)?.id) return given ?? id;
  return refuse(
    'INVALID',
    `scope is not a handle of ${id.slice(0, 40)}.`,
    'Send the handle of the scope in the path.',
    {
      argument: 'scope',
    },
  );
}
