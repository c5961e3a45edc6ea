import type { Refusal } from '../domain/refusal.js';
import { isRefusal, refuse } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { Parts } from './parts.js';

/** The file at a path as it is now; nulls where there is none. */
export interface Present {
  readonly bytes: Uint8Array | null;
  readonly version: Hash | null;
  readonly mode?: number;
  /** When the disk last changed it: wall time in milliseconds. */
  readonly changed?: number;
}

export async function presentFile(parts: Parts, path: string): Promise<Present | Refusal> {
  const looked = await parts.workspace.look(path);
  if (isRefusal(looked)) return looked;
  if (looked.kind === 'none') return { bytes: null, version: null };
  if (looked.kind === 'folder') return refuse('INVALID', `${path} is a folder, not a file.`, 'Name a file.', { path });
  return {
    bytes: looked.file.bytes,
    version: looked.file.version,
    mode: looked.file.mode,
    changed: looked.file.changed,
  };
}
