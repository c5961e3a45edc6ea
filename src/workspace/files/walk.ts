import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { errno } from './errno.js';

/** Opens no link. On macOS, where Node has no name for the flag: no link anywhere in the path, not only at its end. */
export const NOFOLLOW = process.platform === 'darwin' ? 0x2000_0000 : constants.O_NOFOLLOW;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | NOFOLLOW;

/** The root, and how its folders can be reached. */
export interface Ground {
  /** Absolute, without links. */
  readonly root: string;
  /** True where folders cannot be reached through their descriptors: a folder swapped in the very instant is then not noticed. */
  readonly weak: boolean;
}

/** Why a walk ended early. */
export interface Stop {
  readonly why: 'missing' | 'link' | 'file';
  /** How many folders lie before the one that stopped the walk. */
  readonly depth: number;
  /** The last folder reached. */
  readonly base: string;
}

interface Step {
  readonly name: string;
  readonly fd: number;
  readonly base: string;
}

export function isWeak(): boolean {
  return process.platform !== 'linux' || !existsSync('/proc/self/fd');
}

/**
 * Goes down from the root folder by folder, each opened in the one before it and never through a link, so that whatever
 * is swapped meanwhile, a name below the returned base is a name in a folder that was inside the root when it was opened.
 * Holds the descriptors of one path at a time: neighbours cost one step. Close it before anything else runs for long.
 */
export class Trail {
  readonly ground: Ground;
  readonly #steps: Step[] = [];
  #root: Step | undefined;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  /** Enters a folder → the prefix (without `/`) under which its names are reached. `make` creates what is missing. */
  enter(folder: readonly string[], make = false): string | Stop {
    let here = this.#top();
    this.#back(this.#shared(folder));
    here = this.#steps.at(-1) ?? here;
    for (let depth = this.#steps.length; depth < folder.length; depth++) {
      const name = folder[depth] ?? '';
      const next = this.#down(here, name, make);
      if (typeof next === 'string') return { why: next, depth, base: here.base };
      this.#steps.push(next);
      here = next;
    }
    return here.base;
  }

  /** The descriptor of the folder entered last. */
  get fd(): number {
    return (this.#steps.at(-1) ?? this.#top()).fd;
  }

  close(): void {
    this.#back(0);
    if (this.#root !== undefined) closeSync(this.#root.fd);
    this.#root = undefined;
  }

  #top(): Step {
    this.#root ??= this.#opened('', this.ground.root);
    return this.#root;
  }

  #shared(folder: readonly string[]): number {
    let depth = 0;
    while (depth < folder.length && this.#steps[depth]?.name === folder[depth]) depth++;
    return depth;
  }

  #back(depth: number): void {
    for (let step = this.#steps.length; step > depth; step--) {
      const left = this.#steps.pop();
      if (left !== undefined) closeSync(left.fd);
    }
  }

  #down(here: Step, name: string, make: boolean): Step | Stop['why'] {
    const path = `${here.base}/${name}`;
    try {
      return this.#opened(name, path);
    } catch (error) {
      const code = errno(error);
      if (code === 'ENOENT' && make) {
        created(path);
        return this.#down(here, name, false);
      }
      if (code === 'ENOENT') return 'missing';
      if (code === 'ELOOP') return 'link';
      if (code === 'ENOTDIR') return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? 'link' : 'file';
      throw error;
    }
  }

  #opened(name: string, path: string): Step {
    const fd = openSync(path, FOLDER);
    return { name, fd, base: this.ground.weak ? path : `/proc/self/fd/${fd}` };
  }
}

/** Walks, and always lets go of the descriptors. */
export function walking<T>(ground: Ground, walk: (trail: Trail) => T): T {
  const trail = new Trail(ground);
  try {
    return walk(trail);
  } finally {
    trail.close();
  }
}

function created(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else made it in the same instant: then it is there, and the walk looks at what it is.
    if (errno(error) !== 'EEXIST') throw error;
  }
}
