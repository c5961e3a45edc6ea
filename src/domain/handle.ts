import type { Scope, ScopeId } from './scope.js';

/** What an agent passed as `scope`: an id for everyone to see, and the secret that only its owner knows. */
export interface Handle {
  readonly id: ScopeId;
  readonly secret?: string;
}

/** Makes the secret of a scope for one tenure; a new tenure has a new one. */
export type Mint = (id: ScopeId, tenure: number) => string;

const PATTERN = /^S(\d{3,12})(?:-([a-z2-7]{6}))?$/;

export function parseHandle(text: string): Handle | undefined {
  const match = PATTERN.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const id = scopeId(Number(match[1]));
  return match[2] === undefined ? { id } : { id, secret: match[2] };
}

/** `S012` → 12. */
export function numberOf(id: ScopeId): number {
  return Number(id.slice(1));
}

export function scopeId(number: number): ScopeId {
  return `S${String(number).padStart(3, '0')}`;
}

export function printHandle(scope: Scope, mint: Mint): string {
  return `${scope.id}-${mint(scope.id, scope.tenure)}`;
}
