import { randomUUID } from 'node:crypto';
import type { Hash } from '../../domain/scope.js';

/** What git, watchers and file lists should leave out. */
export const TEMP_GLOB = '.signalbox-*~';

/** The folder of our own state, and the one in it where former files wait for a late save. */
export const STATE_FOLDER = '.signalbox';
export const KEPT_FOLDER = [STATE_FOLDER, 'kept'] as const;

const HASH_DIGITS = 16;
const KEPT = /^[0-9a-f]{16}-([0-9a-f]{16})$/;
const TEMP = /^\.signalbox-([0-9a-f]{16})(?:-([0-9a-f]{16}))?~$/i;

export function newId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 16);
}

/** The name under which new content waits in its target's folder. */
export function tempName(id: string): string {
  return `.signalbox-${id}~`;
}

/** The name of a former file in `kept/`. It carries the hash, so that an orphan can be judged by itself. */
export function keptName(id: string, before: Hash): string {
  return `${id}-${before.slice(0, HASH_DIGITS)}`;
}

/** The name of a former file that had to stay in its own folder, because that is on another mount. */
export function keptBeside(id: string, before: Hash): string {
  return `.signalbox-${keptName(id, before)}~`;
}

/** The first digits of the hash that a former file had when it was put aside under this name. */
export function keptHash(name: string): string | undefined {
  return KEPT.exec(name)?.[1] ?? TEMP.exec(name)?.[2];
}

export function isTemp(name: string): boolean {
  return TEMP.test(name);
}

export function idOfTemp(name: string): string | undefined {
  return TEMP.exec(name)?.[1];
}
