import type { Refusal } from './refusal.js';

/** `write` excludes everyone else, `read` excludes writers. A merging mode comes later. */
export type Mode = 'write' | 'read';

export type UnitKind = 'file' | 'folder' | 'glob' | 'process';

/** What can be locked. `text` is canonical: two units are the same exactly when their texts are. */
export interface Unit {
  readonly kind: UnitKind;
  readonly text: string;
}

export declare function parseUnit(text: string): Unit | Refusal;
export declare function overlaps(a: Unit, b: Unit): boolean;
