import { join } from 'node:path';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { stands } from '../text/stands.js';
import type { CommitSetting } from './config.js';
import { type Desk, type Placed, withDesk } from './desk.js';
import { foldersOf } from './index.js';
import { ignoredPaths } from './list.js';
import { chained, isSame, type Merge, replay, type Step } from './replay.js';
import { emptyTree, isThere, type Repository, type Tip } from './repository.js';
import { GitFailed } from './run.js';

/** What one scope did to one path. Contents in working-tree form. */
export interface PathChange {
  /** Canonical, relative to the workspace root. */
  readonly path: string;
  /** This scope's changes, in order. Those that are already committed do no harm. */
  readonly steps: readonly Step[];
  /** What the working tree has now: committed whole where the steps do not fit what is committed. */
  readonly current: Uint8Array | null;
  /** Permission bits that the scope left, of which git keeps whether the owner may execute the file. */
  readonly mode: number;
}

export interface Trailer {
  readonly key: string;
  readonly value: string;
}

export interface CommitSpec {
  readonly changes: readonly PathChange[];
  readonly message: string;
  /** The trailers, given the paths that had to be committed whole. */
  readonly trailers: (whole: readonly string[]) => readonly Trailer[] | Promise<readonly Trailer[]>;
  readonly merge: Merge;
  /** The refusal of a path that does not have any more what the scope changed there: somebody stashed, or switched branches. */
  readonly lost: (path: string) => Refusal;
}

export interface Content {
  /** Undefined where the changes leave nothing that the parent has not. */
  readonly commit: string | undefined;
  /** Paths committed whole: other people's uncommitted lines in them went along. */
  readonly whole: readonly string[];
  /** Paths that git ignores, left out. */
  readonly ignored: readonly string[];
}

/** Builds the commit of one scope's changes on top of `parent`. Writes objects, and moves nothing. */
export async function buildCommit(
  repository: Repository,
  parent: Tip,
  setting: CommitSetting,
  spec: CommitSpec,
): Promise<Content | Refusal> {
  const nested = await inNestedRepository(repository, spec.changes);
  if (nested !== undefined) return nested;
  return withDesk(repository, parent?.commit ?? null, setting, async (desk) => {
    const bases = await desk.contents(spec.changes.map(({ path }) => repository.prefix + path));
    const known = new Map(spec.changes.map(({ path }, at) => [path, bases[at] ?? null]));
    const created = spec.changes.map(({ path }) => path).filter((path) => known.get(path) === null);
    const ignored = await ignoredPaths(repository, created);
    const whole: string[] = [];
    const files: Placed[] = [];
    for (const change of spec.changes) {
      const { path, mode } = change;
      if (ignored.has(path)) continue;
      const found = contentOf(change, known.get(path) ?? null, spec.merge);
      if (found === undefined) return spec.lost(path);
      if (found.whole) whole.push(path);
      files.push({ name: repository.prefix + path, bytes: found.bytes, mode });
    }
    const tree = await treeOf(desk, files);
    if (isRefusal(tree)) return tree;
    const left = { whole, ignored: [...ignored] };
    if (tree === (parent?.tree ?? emptyTree(tree))) return { commit: undefined, ...left };
    return { commit: await desk.commit(tree, messageOf(spec.message, await spec.trailers(whole))), ...left };
  });
}

/**
 * What to commit of a path: the scope's changes alone, where they can be told apart; nothing that is not on the disk. Where
 * the scope's last changes are not there any more, undefined.
 */
function contentOf(
  { steps, current }: PathChange,
  committed: Uint8Array | null,
  merge: Merge,
): { readonly bytes: Uint8Array | null; readonly whole: boolean } | undefined {
  const bytes = replay(committed, steps, merge);
  if (bytes !== undefined && stands(committed, bytes, current)) return { bytes, whole: false };
  const last = chained(steps).at(-1);
  if (last === undefined || !(isSame(last.after, current) || isThereStill(last, current))) return undefined;
  return { bytes: current, whole: true };
}

function isThereStill({ before, after }: Step, current: Uint8Array | null): boolean {
  return !isSame(before, after) && stands(before, after, current);
}

/** The parent may have a file, or a submodule that is not checked out, where a path now needs a folder. */
async function treeOf(desk: Desk, files: readonly Placed[]): Promise<string | Refusal> {
  try {
    return await desk.tree(files);
  } catch (error) {
    if (!(error instanceof GitFailed) || !error.stderr.includes('both a file and as a directory')) throw error;
    const sentence = `A path lies below a file or submodule of the committed tree: ${error.message}.`;
    return refuse('INVALID', sentence, 'Ask a person to commit the removal of that file or submodule first.');
  }
}

/** A submodule, or any other repository within this one, has commits of its own. */
async function inNestedRepository(
  repository: Repository,
  changes: readonly PathChange[],
): Promise<Refusal | undefined> {
  for (const folder of new Set(changes.flatMap(({ path }) => foldersOf(path)))) {
    if (!(await isThere(join(repository.root, folder, '.git')))) continue;
    const inside = changes.map(({ path }) => path).filter((path) => path.startsWith(`${folder}/`));
    const next = `Publish these files from a Signalbox of their own in ${folder}, and leave them out here.`;
    return refuse('INVALID', `${folder} is a repository of its own within this one.`, next, { folder, paths: inside });
  }
  return undefined;
}

/** Trailers stand in a paragraph of their own at the end, which is where git looks: the message cannot forge one. */
function messageOf(text: string, trailers: readonly Trailer[]): string {
  const lines = trailers.map(({ key, value }) => `${key}: ${value.replace(/\s+/g, ' ').trim()}\n`);
  const message = text.replaceAll('\0', '').trim();
  return [message === '' ? 'Publish' : message, ...(lines.length === 0 ? [] : ['', lines.join('').trimEnd()]), ''].join(
    '\n',
  );
}
