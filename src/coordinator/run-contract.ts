import type { RunEnding } from '../domain/event.js';

export interface RunInput {
  readonly command?: string;
  readonly scope?: string;
  readonly cwd?: string;
  readonly env?: readonly string[];
  readonly background?: boolean;
  readonly wait_s?: number;
  readonly timeout_s?: number;
  readonly run?: string;
  readonly from?: number;
  readonly stop?: boolean;
}
export interface RunOutput {
  readonly run: string;
  readonly state: 'running' | RunEnding;
  readonly exit_code?: number;
  readonly output: string;
  readonly next?: number;
  /** Artifacts, once it has ended: what it printed, what it changed, and all that was rejected where not all is told. */
  readonly log?: string;
  readonly diff?: string;
  readonly rejections?: string;
  readonly scope?: string;
  readonly changed: readonly { readonly path: string; readonly version: string | null }[];
  /** Further ones: the diff has them. */
  readonly more_changed?: number;
  readonly rejected: readonly { readonly path: string; readonly reason: string }[];
  /** Further ones: `rejections` has them. */
  readonly more_rejected?: number;
  readonly containment: 'transactional' | 'confined' | 'none';
  /** What to do instead, where git could not write to its own folder. */
  readonly advice?: string;
  readonly duration_ms: number;
}

export interface ListedRun {
  readonly run: string;
  readonly command: string;
  readonly state: 'running' | RunEnding;
  readonly log?: string;
  readonly diff?: string;
}
