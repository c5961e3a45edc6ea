import { closeSync, lstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Hash } from '../../domain/scope.js';
import type { Moved } from '../workspace.js';
import { isSame, type Mark, markOf, openFile, readLarge } from './bytes.js';
import { located } from './change.js';
import type { Place } from './look.js';
import { Trail } from './walk.js';

const MAX_KNOWN = 100_000;
const STRETCH_FILES = 128;

interface Known {
  readonly mark: Mark;
  readonly hash: Hash;
}

/** Notices edits made around Signalbox: compares files with what the ledger last recorded of them. */
export class Drift {
  readonly #place: Place;
  /** Only files that were old enough when hashed, so that the disk's word can be taken for them. */
  readonly #known = new Map<string, Known>();

  constructor(place: Place) {
    this.#place = place;
  }

  /** The records whose file holds something else now. In the order of their paths. */
  async of(records: readonly { readonly path: string; readonly hash: Hash | null }[]): Promise<Moved[]> {
    const order = [...records].sort((a, b) => (a.path < b.path ? -1 : 1));
    const drifted: Moved[] = [];
    for (let from = 0; from < order.length; from += STRETCH_FILES) {
      if (from > 0) await setImmediate();
      const trail = new Trail(this.#place);
      try {
        for (const { path, hash } of order.slice(from, from + STRETCH_FILES)) {
          const found = await this.#hash(trail, path);
          if (found !== hash) drifted.push({ path, expected: hash, found });
        }
      } finally {
        trail.close();
      }
    }
    return drifted;
  }

  async #hash(trail: Trail, path: string): Promise<Hash | null> {
    const { folder, name } = located(path);
    const base = trail.enter(folder);
    const stat =
      typeof base === 'string' ? lstatSync(`${base}/${name}`, { bigint: true, throwIfNoEntry: false }) : undefined;
    if (typeof base !== 'string' || stat === undefined) return this.#forget(path);
    const known = this.#known.get(path);
    if (known !== undefined && isSame(known.mark, stat)) return known.hash;
    const found = openFile(`${base}/${name}`);
    if (found.kind !== 'file' && found.kind !== 'folder') return this.#forget(path);
    try {
      const read =
        found.kind === 'file' ? await readLarge(found.fd, Number(found.stat.size), this.#place.maxFile) : undefined;
      return read === undefined ? this.#forget(path) : this.#learn(path, { mark: markOf(found.stat), hash: read.hash });
    } finally {
      closeSync(found.fd);
    }
  }

  #learn(path: string, known: Known): Hash {
    if (known.mark.young) this.#known.delete(path);
    else {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(path, known);
    }
    return known.hash;
  }

  #forget(path: string): null {
    this.#known.delete(path);
    return null;
  }
}
