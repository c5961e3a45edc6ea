import { countWildcards, expandBraces, isGlob, type Pattern, parseSegment, type Segment, STAR } from './glob.js';
import { canonicalPath, invalid, nameKey, type Path, parsePath, pathFault } from './path.js';
import { isRefusal, type Refusal } from './refusal.js';

/** `write` excludes everyone else, `read` excludes writers. A merging mode comes later. */
export type Mode = 'write' | 'read';

export type UnitKind = 'file' | 'folder' | 'glob' | 'process';

/**
 * What can be locked. `text` is canonical: two units are the same exactly when their texts are. It keeps case and
 * Unicode form, because it also names the file; what those do not tell apart is found by `overlaps`.
 */
export interface Unit {
  readonly kind: UnitKind;
  readonly text: string;
  /** Whether it was read for a disk that takes `A` for `a`; its patterns are folded then. */
  readonly folds: boolean;
  /** The paths that it covers are those that match one of these. A process covers none. */
  readonly patterns: readonly Pattern[];
}

const PROCESS = 'process:';
const PROCESS_NAME = /^[A-Za-z0-9_.:-]{1,64}$/;
const MAX_ALTERNATIVES = 32;
const MAX_WILDCARDS = 128;

/**
 * Reads a unit: file `src/a.ts`, folder `src/auth/` (the whole tree is `./`), glob `*.sql`, process
 * `process:build`. `folds` says whether the disk takes `A` for `a`. Refuses INVALID, or OUTSIDE what leaves the root.
 */
export function parseUnit(text: string, folds = false): Unit | Refusal {
  const recent = folds ? RECENT.folding : RECENT.exact;
  const known = recent.get(text);
  if (known) return known;
  const unit = text.startsWith(PROCESS) ? readProcess(text, folds) : readPaths(text, folds);
  if (!isRefusal(unit)) recent.add(text, unit);
  return unit;
}

function readProcess(text: string, folds: boolean): Unit | Refusal {
  if (PROCESS_NAME.test(text.slice(PROCESS.length))) return { kind: 'process', text, folds, patterns: [] };
  return invalid(text, 'is no process: its name is 1 to 64 of A-Z a-z 0-9 _ . : -');
}

function readPaths(given: string, folds: boolean): Unit | Refusal {
  const fault = pathFault(given);
  if (fault) return fault;
  const text = canonicalPath(given);
  if (text.startsWith(PROCESS)) return invalid(given, 'would be taken for a process; claim its folder instead');
  if (isGlob(text)) return readGlob(text, folds);
  const path = parsePath(text);
  if (isRefusal(path)) return path;
  const patterns = [patternOf(path, (name) => nameKey(name, folds))];
  return { kind: path.folder ? 'folder' : 'file', text, folds, patterns };
}

function readGlob(text: string, folds: boolean): Unit | Refusal {
  if (text.split('{').length > MAX_WILDCARDS + 1) return invalid(text, `has more than ${MAX_WILDCARDS} braces`);
  const alternatives = expandBraces(text, MAX_ALTERNATIVES);
  if (!alternatives) return invalid(text, `has more than ${MAX_ALTERNATIVES} alternatives`);
  if (countWildcards(alternatives.join('/')) > MAX_WILDCARDS) {
    return invalid(text, `has more than ${MAX_WILDCARDS} wildcards`);
  }
  const patterns: Pattern[] = [];
  for (const alternative of alternatives) {
    const path = parsePath(alternative);
    if (isRefusal(path)) return path;
    patterns.push(patternOf(path, (name) => parseSegment(name, folds)));
  }
  // `app/[slug]/page.tsx` is a real file name to many frameworks: such a glob also covers what it is called.
  const own = parsePath(text);
  if (/[[{]/.test(text) && !isRefusal(own)) patterns.push(patternOf(own, (name) => nameKey(name, folds)));
  return { kind: 'glob', text, folds, patterns };
}

/** `**` may stand for no name at all, so a folder's pattern also matches a file in the folder's place. */
function patternOf(path: Path, read: (name: string) => Segment): Pattern {
  const segments = path.names.map(read);
  if (path.folder) segments.push(STAR);
  return segments.filter((segment, at) => segment !== STAR || segments[at - 1] !== STAR);
}

/** The units read of late, because every check reads each held unit again. Two generations; the elder is dropped. */
class Recent {
  #young = new Map<string, Unit>();
  #old = new Map<string, Unit>();
  #weight = 0;

  get(text: string): Unit | undefined {
    const unit = this.#young.get(text);
    if (unit) return unit;
    const elder = this.#old.get(text);
    if (elder) this.add(text, elder);
    return elder;
  }

  add(text: string, unit: Unit): void {
    this.#weight += text.length * (1 + unit.patterns.length);
    if (this.#weight > Recent.MAX_WEIGHT) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(text, unit);
  }

  /** Characters of pattern in one generation: about 25,000 usual units. */
  static readonly MAX_WEIGHT = 2_000_000;
}

const RECENT = { exact: new Recent(), folding: new Recent() };
