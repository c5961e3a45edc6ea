import { hash as digest } from 'node:crypto';
import { draft } from '../domain/draft.js';
import { type Occasion, raise } from '../domain/raise.js';
import type { Hash, ScopeId } from '../domain/scope.js';
import type { Parts } from './parts.js';

const PERSON = { agent: 'outside', connection: 'outside' };

/**
 * A person saved a file in place between our last check and our rename: the save went to the former file. Its text is
 * kept, the ledger says so, and a conflict scope asks somebody to bring both together.
 *
 * @returns whether that is on record.
 */
export async function noteLate(
  parts: Parts,
  edit: { readonly path: string; readonly bytes: Uint8Array; readonly mode: number },
  holder: ScopeId,
): Promise<boolean> {
  const hash = digest('sha256', edit.bytes);
  try {
    await parts.store.keep([{ hash, bytes: edit.bytes }]);
    await parts.store.transact(PERSON, { paths: [edit.path] }, (tx) => {
      const decision = draft(tx);
      const present = tx.file(edit.path)?.hash ?? null;
      const occasion = lateSave(edit.path, hash, holder, present);
      if (raise(decision, occasion) === undefined) return { events: [], answer: undefined };
      decision.emit({
        type: 'files.outside',
        files: [{ path: edit.path, before: present, after: present }],
        holder,
        kept: [hash],
      });
      return { events: decision.events, answer: undefined };
    });
    return true;
  } catch (error) {
    parts.log(`a late save of ${edit.path} is kept in .signalbox/kept but not on record: ${String(error)}`);
    return false;
  }
}

function lateSave(path: string, hash: Hash, holder: ScopeId, present: Hash | null): Occasion {
  return {
    cause: `late:${path}:${hash}`,
    title: `Conflict in ${path.slice(-150)}: saved by a person while ${holder} changed it`,
    note: `The person's text was not overwritten: read artifact:${hash}. The file has the text of ${holder}. Bring both together.`,
    phase: 'iterate',
    units: [path],
    conflict: { between: [holder], paths: [path], sides: present === null ? [hash] : [hash, present] },
  };
}
