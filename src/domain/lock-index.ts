import { Map as PersistentMap } from 'immutable';
import { overlaps } from './overlap.js';
import { isRefusal } from './refusal.js';
import type { ScopeId } from './scope.js';
import { type Mode, parseUnit, type Unit } from './unit.js';

/** A unit in the index, with the scope that holds it or waits for it. */
export interface Entry {
  readonly scope: ScopeId;
  readonly unit: string;
  readonly mode: Mode;
}

/** An immutable index of units: what overlaps a unit is found without looking at all the others. */
export interface LockIndex {
  readonly size: number;
  /** Another one with each entry that is taken out: while it stays, nothing has become free. */
  readonly era: object;
  /** Adds an entry; one with the same scope and unit is replaced. Throws where the unit is not one. */
  with(entry: Entry): LockIndex;
  /** Gives the same index back where there is no such entry. */
  without(scope: ScopeId, unit: string): LockIndex;
  /** In no particular order, the same for the same history. */
  overlapping(unit: Unit): Entry[];
  entries(): Entry[];
}

interface Node {
  readonly entries: PersistentMap<string, Entry>;
  readonly children: PersistentMap<string, Node>;
}

/** Where a unit stands in the trie: at the names that all it covers begin with. */
interface Place {
  readonly steps: readonly string[];
  /** Whether it may cover something below that place. */
  readonly open: boolean;
}

const BARE: Node = { entries: PersistentMap(), children: PersistentMap() };

/**
 * A trie over the names that units begin with. Its steps are always folded, so that it serves disks that fold case and
 * disks that do not; `overlaps` then tells names apart that the trie does not.
 */
class Trie implements LockIndex {
  private readonly root: Node;
  readonly size: number;
  readonly era: object;

  constructor(root: Node, size: number, era: object) {
    this.root = root;
    this.size = size;
    this.era = era;
  }

  with(entry: Entry): LockIndex {
    const key = keyOf(entry.scope, entry.unit);
    const { steps } = placeOf(entry.unit);
    const grown = this.#has(steps, key) ? this.size : this.size + 1;
    return new Trie(
      changed(this.root, steps, (entries) => entries.set(key, entry)),
      grown,
      this.era,
    );
  }

  without(scope: ScopeId, unit: string): LockIndex {
    const key = keyOf(scope, unit);
    const { steps } = placeOf(unit);
    if (!this.#has(steps, key)) return this;
    return new Trie(
      changed(this.root, steps, (entries) => entries.remove(key)),
      this.size - 1,
      {},
    );
  }

  overlapping(unit: Unit): Entry[] {
    const { steps, open } = placeOf(unit.text);
    const found: Entry[] = [];
    const look = (entry: Entry) => {
      if (overlaps(unit, unitOf(entry.unit, unit.folds))) found.push(entry);
    };
    let node: Node | undefined = this.root;
    for (const step of steps) {
      for (const entry of node.entries.values()) look(entry);
      node = node.children.get(step);
      if (!node) return found;
    }
    if (open) visit(node, look);
    else for (const entry of node.entries.values()) look(entry);
    return found;
  }

  entries(): Entry[] {
    const all: Entry[] = [];
    visit(this.root, (entry) => all.push(entry));
    return all;
  }

  #has(steps: readonly string[], key: string): boolean {
    let node: Node | undefined = this.root;
    for (const step of steps) node = node?.children.get(step);
    return node?.entries.has(key) ?? false;
  }
}

export const EMPTY_INDEX: LockIndex = new Trie(BARE, 0, {});

/** The node with the entries at one place changed. Nodes left bare are dropped. */
function changed(
  node: Node,
  steps: readonly string[],
  change: (entries: PersistentMap<string, Entry>) => PersistentMap<string, Entry>,
  depth = 0,
): Node {
  const step = steps[depth];
  if (step === undefined) return { ...node, entries: change(node.entries) };
  const child = changed(node.children.get(step) ?? BARE, steps, change, depth + 1);
  const bare = child.entries.isEmpty() && child.children.isEmpty();
  return { ...node, children: bare ? node.children.remove(step) : node.children.set(step, child) };
}

function visit(node: Node, look: (entry: Entry) => void): void {
  for (const entry of node.entries.values()) look(entry);
  for (const child of node.children.values()) visit(child, look);
}

function placeOf(text: string): Place {
  const unit = unitOf(text, true);
  if (unit.kind === 'process') return { steps: ['process', text], open: false };
  const [first = [], ...others] = unit.patterns;
  const steps = ['path'];
  for (const [at, name] of first.entries()) {
    if (typeof name !== 'string' || others.some((pattern) => pattern[at] !== name)) return { steps, open: true };
    steps.push(name);
  }
  return { steps, open: others.length > 0 };
}

function unitOf(text: string, folds: boolean): Unit {
  const unit = parseUnit(text, folds);
  if (isRefusal(unit)) throw new Error(`not a unit: ${text}`);
  return unit;
}

/** No unit contains a line break, so this is unambiguous. */
function keyOf(scope: ScopeId, unit: string): string {
  return `${scope}\n${unit}`;
}
