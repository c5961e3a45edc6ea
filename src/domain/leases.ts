import type { Scope } from './scope.js';
import type { View } from './view.js';

const STATELESS = 'stateless:';

/** A caller for whom nobody beats: each of its requests stands alone. */
export function isStateless(connection: string): boolean {
  return connection.startsWith(STATELESS);
}

export function statelessConnection(name: string): string {
  return STATELESS + name;
}

/** Where the signs of life of a scope are found: with its connection, or with itself where there is none. */
export function lifeKey(scope: Scope): string | undefined {
  if (scope.owner === undefined) return undefined;
  return isStateless(scope.owner.connection) ? scopeKey(scope.id) : scope.owner.connection;
}

/** Signs of life of a scope whose owner has no connection. */
export function scopeKey(scope: string): string {
  return `scope:${scope}`;
}

/** Signs of life of a waiting claim; the row goes when the agent has taken its grant. */
export function ticketKey(scope: string): string {
  return `ticket:${scope}`;
}

/** Why a connection (or a stateless scope) counts as gone; undefined while it lives. */
export function gone(view: View, key: string): string | undefined {
  const life = view.life(key);
  const { lease, idle, idleStateless } = view.settings;
  if (life === undefined) return 'its connection is gone';
  if (key.startsWith('scope:')) {
    return view.now - life.called > idleStateless ? `no call for ${minutes(idleStateless)}` : undefined;
  }
  if (view.now - (life.ended ?? life.seen) > lease) {
    return life.ended === undefined ? 'its connection is gone' : 'its connection ended';
  }
  return view.now - life.called > idle ? `no call for ${minutes(idle)}` : undefined;
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} minutes`;
}

/** Why the owner of a scope has lost it; undefined while the lease lives. Computed on read: no write has to happen. */
export function lost(view: View, scope: Scope): string | undefined {
  const key = lifeKey(scope);
  return key === undefined ? undefined : (gone(view, key) ?? uncollected(view, scope));
}

/** A grant from the queue is held for an agent that is away, but not for ever. Later grants come to a scope in use. */
function uncollected(view: View, scope: Scope): string | undefined {
  const call = view.life(ticketKey(scope.id));
  if (call === undefined || scope.grantedAt === undefined) return undefined;
  const waited = view.now - Math.max(scope.grantedAt, call.seen);
  return waited > view.settings.collect ? 'its grant was not collected' : undefined;
}

/** Why a ticket is void: nobody asks after it. One that waits for outputs is not asked after, and stays. */
export function lapsed(view: View, scope: Scope): string | undefined {
  const key = lifeKey(scope);
  if (key === undefined || scope.ticket === undefined) return undefined;
  const reason = gone(view, key);
  if (reason !== undefined || scope.pending.length > 0) return reason;
  const asked = Math.max(scope.ticket.since, view.life(ticketKey(scope.id))?.seen ?? 0);
  const { ticket } = view.settings;
  return view.now - asked > ticket ? `no claim call for ${ticket / 1_000} s` : undefined;
}
