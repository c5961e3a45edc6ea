import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBody } from '../domain/event.js';
import type { Content, Intent, IntentFile } from '../domain/intent.js';
import { isRefusal } from '../domain/refusal.js';
import type { Hash, ScopeId } from '../domain/scope.js';
import type { Recovery, Store } from './store.js';

/** A ledger on a real disk, and the folder whose files its intents speak of. */
export interface StoreBench {
  readonly root: string;
  /** Another server's store on the same ledger. */
  open(options?: { readonly recovery?: Recovery }): Promise<Store>;
  /** Lets time pass on the machine's clock, in milliseconds. */
  pass(ms: number): void;
  /** Differences between the tables and a replay of the events. */
  verify(): Promise<string[]>;
  dispose(): Promise<void>;
}

/** A bench and a first store on it, made anew for every test. */
export interface Tools {
  readonly bench: StoreBench;
  readonly store: Store;
}

export const ALICE = { agent: 'alice', connection: 'c1' };
export const BOB = { agent: 'bob', connection: 'c2' };

export function sha(bytes: string | Uint8Array): Hash {
  return createHash('sha256').update(bytes).digest('hex');
}

export function idOf(number: number): ScopeId {
  return `S${String(number).padStart(3, '0')}`;
}

export function opened(scope: ScopeId, units: readonly string[] = [], pending: readonly ScopeId[] = []): EventBody {
  const contract = {
    title: `Work of ${scope}`,
    phase: 'build',
    units,
    consumes: pending,
    produces: [],
    priority: 0,
    standing: false,
  } as const;
  return { type: 'scope.opened', scope, contract, by: 'alice', pending };
}

export function granted(scope: ScopeId, units: readonly string[], generation: number, owner = ALICE): EventBody {
  return { type: 'scope.granted', scope, units, mode: 'write', owner, generation, queued: false };
}

export function released(scope: ScopeId): EventBody {
  return { type: 'scope.released', scope, to: 'cancelled', reason: 'not needed', from: 'alice' };
}

export function changed(scope: ScopeId, path: string, before: Hash | null, after: Hash | null): EventBody {
  return { type: 'files.changed', scope, cause: 'patch', generation: 1, files: [{ path, before, after, mode: 0o644 }] };
}

/** Claims a unit for a new scope: the smallest useful decision. */
export function claim(store: Store, unit: string): Promise<ScopeId> {
  return answerOf(
    store.transact(ALICE, {}, ({ state }) => {
      const scope = idOf(state.scopeCount + 1);
      return { answer: scope, events: [opened(scope, [unit]), granted(scope, [unit], state.generation + 1)] };
    }),
  );
}

export async function record(store: Store, ...events: EventBody[]): Promise<void> {
  await store.transact(ALICE, {}, () => ({ answer: true, events }));
}

export async function answerOf<T>(outcome: Promise<{ readonly answer: T | unknown }>): Promise<T> {
  const { answer } = await outcome;
  if (isRefusal(answer)) throw new Error(answer.sentence);
  return answer as T;
}

/** Puts files below `root` back as intents say, and says in the ledger which it was. */
export function fileRecovery(root: string): Recovery {
  const put = (path: string, bytes: Uint8Array | undefined): void => {
    if (bytes === undefined) rmSync(join(root, path), { force: true });
    else writeFileSync(join(root, path), bytes);
  };
  const noted = (intent: Intent, which: 'before' | 'after'): readonly EventBody[] => [
    {
      type: 'files.outside',
      files: intent.files.map((file) => ({ path: `recovered/${file.path}`, before: null, after: file[which] })),
    },
  ];
  return {
    undo(intent, content) {
      for (const { path, before, after } of intent.files) {
        if (hashAt(root, path) === after) put(path, before === null ? undefined : content(before));
      }
      return noted(intent, 'before');
    },
    redo(intent, content) {
      for (const { path, after } of intent.files) {
        if (after !== null && hashAt(root, path) === null) put(path, content(after));
      }
      return noted(intent, 'after');
    },
  };
}

export function hashAt(root: string, path: string): Hash | null {
  return existsSync(join(root, path)) ? sha(readFileSync(join(root, path))) : null;
}

/** What it takes to turn `a.txt` from `old` into `new`: the file to mark, and the contents that are needed for it. */
export function changeOf(path: string): { readonly files: readonly IntentFile[]; readonly contents: Content[] } {
  const contents = ['old', 'new'].map((word) => ({ hash: sha(word), bytes: Buffer.from(word) }));
  return { files: [{ path, before: sha('old'), after: sha('new'), beforeMode: 0o644, afterMode: 0o644 }], contents };
}
