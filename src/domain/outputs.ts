import { type Refusal, refuse } from './refusal.js';
import type { Artifact, Scope } from './scope.js';
import type { Settings } from './settings.js';

/** What one publication is about to store. `bytes`: the contents together. */
export interface Load {
  readonly artifacts: number;
  readonly bytes: number;
}

/** LIMIT where a publication, or its scope with it, would have more outputs than one may have. */
export function tooMuch(own: Scope, { artifacts, bytes }: Load, settings: Settings): Refusal | undefined {
  const { maxArtifacts, maxScopeArtifacts, maxArtifactBytes } = settings;
  const scope = own.id;
  if (artifacts > maxArtifacts) {
    const sentence = `A publication has at most ${maxArtifacts} artifacts; this one has ${artifacts}.`;
    const next = 'Publish a part of them with status progress, then the rest.';
    return refuse('LIMIT', sentence, next, { scope, limit: maxArtifacts, given: artifacts });
  }
  const all = own.artifacts.length + artifacts;
  if (all > maxScopeArtifacts) {
    const sentence = `A scope publishes at most ${maxScopeArtifacts} artifacts; with these ${scope} would have ${all}.`;
    const next = 'Leave artifacts out, or publish the rest under a scope of its own (open_scope).';
    return refuse('LIMIT', sentence, next, { scope, limit: maxScopeArtifacts, given: all });
  }
  if (bytes > maxArtifactBytes) {
    const sentence = `The artifacts of a publication have at most ${maxArtifactBytes} bytes together; these have ${bytes} or more.`;
    const next = 'Publish a part of them with status progress, then the rest; or leave the largest out.';
    return refuse('LIMIT', sentence, next, { scope, limit: maxArtifactBytes, given: bytes });
  }
  return undefined;
}

/** What is published again at the same path, as the same type, supersedes what was there; what has no path stays. */
export function newest<T extends Pick<Artifact, 'type' | 'path'>>(artifacts: readonly T[]): T[] {
  const last = new Map(artifacts.map((artifact, at) => [placeOf(artifact), at]));
  return artifacts.filter((artifact, at) => artifact.path === undefined || last.get(placeOf(artifact)) === at);
}

function placeOf({ type, path }: Pick<Artifact, 'type' | 'path'>): string {
  return JSON.stringify([path, type]);
}
