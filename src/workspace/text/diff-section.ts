import { type Refusal, refuse } from '../../domain/refusal.js';
import { readName } from './diff-names.js';
import type { Hunk } from './hunk.js';
import { invalid, type Operation } from './operation.js';

/** One file's part of a unified diff, as read. */
export interface Section {
  /** Its first line in the diff, from 1. */
  readonly diffLine: number;
  /** The line `diff --git …`; empty where there is none. */
  readonly git: string;
  /** git's headers between that line and the names: modes, renames, index. */
  readonly extended: readonly string[];
  /** The names behind `---` and `+++`: both or none. */
  readonly names: readonly string[];
  readonly hunks: readonly Hunk[];
  /** Index of the line behind it. */
  readonly end: number;
}

const NOTHING = '/dev/null';

interface Names {
  /** Null: the file is created. */
  readonly old: string | null;
  /** Null: the file is deleted. */
  readonly young: string | null;
}

/** What a section does to its file; undefined where it only changes the file's mode, which is ignored. */
export function operationOf(section: Section): Operation | undefined | Refusal {
  const refusal = refusedHeader(section);
  if (refusal !== undefined) return refusal;
  const names = namesOf(section);
  if (names === null)
    return wrong(section, 'the same file name on both sides, or git\'s "rename from" and "rename to"', 'others');
  const { old, young } = names;
  const source = { diffLine: section.diffLine };
  if (old === null && young === null) return wrong(section, 'a file on one side', '/dev/null on both');
  if (old === null) return creation(section, String(young));
  const change = { kind: 'hunks', hunks: section.hunks } as const;
  if (young === null) return { source, path: old, change, delete: true };
  if (old !== young) return { source, path: old, change, moveTo: young };
  if (section.hunks.length > 0) return { source, path: old, change };
  if (section.names.length === 0 && section.extended.some((line) => line.startsWith('new mode '))) return undefined;
  return wrong(section, `at least one hunk with + or - lines for ${old}`, 'none');
}

function refusedHeader(section: Section): Refusal | undefined {
  const has = (...starts: string[]): boolean =>
    section.extended.some((line) => starts.some((start) => line.startsWith(start)));
  if (has('GIT binary patch', 'Binary files ')) {
    const next = 'Leave the binary out of the diff; a command that makes it can be given to run.';
    return refuse('BINARY', `Line ${section.diffLine} of the diff begins a binary patch.`, next, {
      diff_line: section.diffLine,
    });
  }
  if (has('copy from ')) return wrong(section, 'a new file in full instead of a copy', 'git\'s "copy from"');
  if (['new file mode ', 'new mode ', 'deleted file mode '].some((mode) => has(`${mode}12`, `${mode}16`))) {
    return wrong(section, 'an ordinary file', 'a link or a submodule');
  }
  return undefined;
}

function creation(section: Section, path: string): Operation | Refusal {
  const lines = section.hunks.flatMap((hunk) => hunk.lines);
  if (lines.some(({ sign }) => sign !== '+')) return wrong(section, 'lines that begin with + in a new file', 'others');
  const text = lines.map((line) => (line.bare ? line.text : `${line.text}\n`)).join('');
  return { source: { diffLine: section.diffLine }, path, change: { kind: 'content', text } };
}

/** The names on both sides; null where they differ and no header says that the file is renamed. */
function namesOf(section: Section): Names | null {
  const from = extendedName(section, 'rename from ');
  const to = extendedName(section, 'rename to ');
  if (from !== undefined && to !== undefined) return { old: from, young: to };
  const [old, young] = section.names;
  if (old !== undefined && young !== undefined) return withoutPrefixes(old, young);
  const name = gitName(section.git);
  if (name === null) return null;
  if (section.extended.some((line) => line.startsWith('new file mode '))) return { old: null, young: name };
  if (section.extended.some((line) => line.startsWith('deleted file mode '))) return { old: name, young: null };
  return { old: name, young: name };
}

function extendedName(section: Section, start: string): string | undefined {
  const line = section.extended.find((each) => each.startsWith(start));
  return line === undefined ? undefined : readName(line.slice(start.length))?.name;
}

/** `a/` and `b/` are prefixes only as a pair; where one side is missing, its own letter decides. */
function withoutPrefixes(old: string, young: string): Names | null {
  if (old === NOTHING) return { old: null, young: young === NOTHING ? null : withoutPrefix(young, 'b/') };
  if (young === NOTHING) return { old: withoutPrefix(old, 'a/'), young: null };
  if (old === young) return { old, young };
  const name = withoutPrefix(old, 'a/');
  return old.startsWith('a/') && young === `b/${name}` ? { old: name, young: name } : null;
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** The one name in `diff --git a/x b/x`. Without quotes only the length tells where the second name begins. */
function gitName(line: string): string | null {
  const rest = line.slice('diff --git '.length);
  const first = rest.startsWith('"') ? readName(rest) : null;
  const half = (rest.length - 1) / 2;
  const old = first?.name ?? rest.slice(0, half);
  const young = first === null ? rest.slice(half + 1) : readName(first.rest.trimStart())?.name;
  return young === undefined ? null : (withoutPrefixes(old, young)?.young ?? null);
}

function wrong(section: Section, expected: string, got: string): Refusal {
  const next = 'Correct the diff and call patch again, or pass the change as edits with old_string and new_string.';
  return invalid({ diffLine: section.diffLine }, { argument: 'diff', expected, got, next });
}
