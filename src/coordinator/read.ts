import { isUtf8 } from 'node:buffer';
import { isSameAgent } from '../domain/authority.js';
import { holderName, knownUnit, stillHolds } from '../domain/blockers.js';
import { covers } from '../domain/overlap.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { parseUnit } from '../domain/unit.js';
import type { View } from '../domain/view.js';
import type { Looked, Snapshot } from '../workspace/workspace.js';
import { storedContent } from './artifacts.js';
import type { Caller, HeldBy, ReadFile, ReadInput, ReadOutput } from './contract.js';
import { noteDrift, type Seen, seemsDrifted, seenFiles } from './drift.js';
import { act, type Parts, refusedEvent } from './parts.js';
import { settled } from './settled.js';

/** Characters of text that one call returns at most. */
const BUDGET = 20_000;
const ENTRIES = 500;
const SHOWN_VERSION = 10;
const IMAGE_LIMIT = 4_000_000;
const ATTEMPTS = 40;

const IMAGES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
]);

/** What a caller wants to see: a path, and the lines where it names some. */
export interface Wish {
  readonly given: string;
  readonly path: string;
  readonly from?: number;
  readonly to?: number;
}

/** read: files, ranges, folders and artifacts. Needs no claim; never shows half of a patch. */
export async function read(parts: Parts, caller: Caller, input: ReadInput): Promise<ReadOutput | Refusal> {
  parts.presence.called(caller.connection);
  const wishes = input.paths.map(parseWish);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await settled(parts);
    const before = wishes.length > 1 ? await parts.store.view({}, ({ state }) => state.seq) : 0;
    const found = await Promise.all(wishes.map((wish) => look(parts, wish)));
    if (await torn(parts, found, before)) continue;
    const looks = found.map(readable);
    const seen = seenOf(found);
    const { held, drifted } = await parts.store.view({ paths: seen.map((file) => file.path) }, (view) => ({
      held: looks.map((looked) => holders(view, caller, looked)),
      drifted: seen.filter((file) => seemsDrifted(view, file)).map((file) => file.path),
    }));
    await recordRefusals(parts, caller, looks);
    if (drifted.length > 0) await noteDrift(parts, caller, drifted);
    return { files: shown(wishes, looks, held) };
  }
  const busy = refuse('BUSY', 'These files were being patched all the while.', 'Call read again, with fewer paths.');
  return act<ReadOutput>(parts, caller, 'read', {}, () => ({ answer: busy }));
}

/** Whether half of a patch may have been seen: one is being applied to these paths, or came between the looks. */
async function torn(parts: Parts, looks: readonly (Looked | Refusal)[], before: number): Promise<boolean> {
  const seen = looks.flatMap((found) =>
    isRefusal(found) ? [] : [found.kind === 'file' ? found.file.path : found.path],
  );
  const isAmong = (paths: readonly string[]) => seen.some((path) => paths.includes(path));
  if (isAmong(parts.store.applying())) return true;
  if (looks.length === 1) return false;
  const changed = await parts.store.changes({ after: before, limit: 1_000 });
  return isAmong(changed.map((row) => row.path));
}

/** `src/a.ts:120-180` → path and lines. */
export function parseWish(given: string): Wish {
  // The colon of `artifact:` is not one of a range.
  const range = /^(.+):(\d{1,9})(?:-(\d{1,9}))?$/.exec(given);
  if (range?.[1] === undefined || range[1] === 'artifact') return { given, path: given };
  const from = Math.max(1, Number(range[2]));
  return { given, path: range[1], from, to: range[3] === undefined ? from : Number(range[3]) };
}

async function look(parts: Parts, wish: Wish): Promise<Looked | Refusal> {
  if (wish.path.startsWith('artifact:')) return artifact(parts, wish.path);
  const asGiven = wish.from === undefined ? undefined : await parts.workspace.look(wish.given);
  if (asGiven !== undefined && !isRefusal(asGiven) && asGiven.kind === 'file') return asGiven;
  return parts.workspace.look(wish.path);
}

async function artifact(parts: Parts, path: string): Promise<Looked | Refusal> {
  const stored = await storedContent(parts, path.slice('artifact:'.length));
  if (isRefusal(stored)) return stored;
  return { kind: 'file', file: { path, version: stored.hash, bytes: stored.bytes, mode: 0o444, changed: 0 } };
}

function seenOf(looks: readonly (Looked | Refusal)[]): Seen[] {
  return seenFiles(looks).filter((file) => !file.path.startsWith('artifact:'));
}

/** What can be shown: text or an image. The version is told all the same, because whoever replaces the file needs it. */
function readable(looked: Looked | Refusal): Looked | Refusal {
  if (isRefusal(looked) || looked.kind !== 'file' || imageType(looked.file) !== undefined) return looked;
  const { path, bytes, version } = looked.file;
  if (isUtf8(bytes) && !bytes.includes(0)) return looked;
  return refuse(
    'BINARY',
    `${path} has ${bytes.length} bytes that are not UTF-8 text (version ${version.slice(0, SHOWN_VERSION)}).`,
    'Look at it with a command given to run, or replace it: patch with content and that version as base.',
    { path, size: bytes.length, version },
  );
}

function imageType({ path, bytes }: Snapshot): string | undefined {
  return bytes.length > IMAGE_LIMIT ? undefined : IMAGES.get(path.split('.').at(-1)?.toLowerCase() ?? '');
}

type Holders = ReadonlyMap<string, HeldBy>;

/** Who else holds what was looked at; for a folder, what is in it. */
function holders(view: View, caller: Caller, looked: Looked | Refusal): Holders {
  const found = new Map<string, HeldBy>();
  if (isRefusal(looked) || looked.kind === 'none') return found;
  const paths =
    looked.kind === 'file'
      ? [looked.file.path]
      : looked.entries.slice(0, ENTRIES).map((entry) => inFolder(looked.path, entry));
  for (const path of paths) {
    const holder = holderOf(view, caller, path);
    if (holder !== undefined) found.set(path, holder);
  }
  return found;
}

function holderOf(view: View, caller: Caller, path: string): HeldBy | undefined {
  const unit = parseUnit(path, view.settings.folds);
  if (isRefusal(unit)) return undefined;
  for (const entry of view.state.locks.overlapping(unit)) {
    const scope = view.state.scopes.get(entry.scope);
    if (scope === undefined || !stillHolds(view, scope)) continue;
    const own = scope.owner !== undefined && isSameAgent(caller, scope.owner);
    const whole = unit.kind === 'folder' || covers(knownUnit(entry.unit, view.settings.folds), path);
    if (!own && whole) return { id: scope.id, agent: holderName(scope), mode: entry.mode };
  }
  return undefined;
}

function inFolder(folder: string, { name, kind }: { readonly name: string; readonly kind: string }): string {
  const prefix = folder === '' || folder === '.' ? '' : `${folder}/`;
  return kind === 'folder' ? `${prefix}${name}/` : `${prefix}${name}`;
}

/** A path that may not be read is on record; one that is merely not there is not worth an event. */
async function recordRefusals(parts: Parts, caller: Caller, looks: readonly (Looked | Refusal)[]): Promise<void> {
  const refusals = looks.filter(isRefusal).filter((refusal) => refusal.code !== 'NOT_FOUND');
  if (refusals.length === 0) return;
  await act(parts, caller, 'read', {}, (draft) => {
    for (const refusal of refusals) draft.emit(refusedEvent('read', refusal));
    return { answer: undefined };
  });
}

function shown(wishes: readonly Wish[], looks: readonly (Looked | Refusal)[], held: readonly Holders[]): ReadFile[] {
  let left = BUDGET;
  return wishes.map((wish, at): ReadFile => {
    const looked = looks[at] ?? { kind: 'none', path: wish.path };
    const by = held[at] ?? new Map<string, HeldBy>();
    if (isRefusal(looked)) return { path: wish.path, error: `${looked.code}: ${looked.sentence} ${looked.next}` };
    if (looked.kind === 'none') return { path: wish.path, error: 'NOT_FOUND: there is no such file or folder.' };
    if (looked.kind === 'folder') return folder(looked, by);
    const file = shownFile(looked.file, wish, left, by.get(looked.file.path));
    if ('text' in file) left = Math.max(0, left - file.text.length);
    return file;
  });
}

function folder(looked: Extract<Looked, { kind: 'folder' }>, held: Holders): ReadFile {
  const entries = looked.entries.slice(0, ENTRIES).map((entry) => {
    const by = held.get(inFolder(looked.path, entry));
    return { ...entry, ...(by === undefined ? {} : { held_by: by }) };
  });
  const more = looked.entries.length - entries.length;
  const path = looked.path === '' || looked.path === '.' ? './' : `${looked.path}/`;
  return { path, entries, ...(more > 0 ? { more } : {}) };
}

function shownFile(file: Snapshot, wish: Wish, left: number, held: HeldBy | undefined): ReadFile {
  const common = { path: file.path, version: file.version, ...(held === undefined ? {} : { held_by: held }) };
  const mimeType = imageType(file);
  if (mimeType !== undefined) {
    return { ...common, image: { data: Buffer.from(file.bytes).toString('base64'), mimeType } };
  }
  return { ...common, ...cut(textOf(file.bytes), wish, left) };
}

/** UTF-8 that was checked before; a byte order mark stays in the text. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The wanted lines, as far as the budget reaches. Text is raw: what is shown can be copied into old_string. */
function cut(
  text: string,
  wish: Wish,
  left: number,
): { text: string; from: number; to: number; total_lines: number; truncated?: boolean } {
  if (wish.from === undefined && text.length <= left) {
    const total = countLines(text);
    return { text, from: 1, to: total, total_lines: total };
  }
  const lines = linesOf(text);
  const total = lines.length;
  const from = Math.min(wish.from ?? 1, Math.max(1, total));
  const last = Math.min(wish.to ?? total, total);
  const kept: string[] = [];
  let size = 0;
  for (const line of lines.slice(from - 1, last)) {
    if (size + line.length > left) break;
    kept.push(line);
    size += line.length;
  }
  const wanted = last - from + 1;
  // A line that no call could show whole is shown in part; one for which others left no room is left to the next call.
  const tooLong = kept.length === 0 && wanted > 0 && left === BUDGET;
  const partly = tooLong ? [lines[from - 1]?.slice(0, left) ?? ''] : kept;
  const truncated = kept.length < wanted;
  return {
    text: partly.join(''),
    from,
    to: from + partly.length - 1,
    total_lines: total,
    ...(truncated ? { truncated } : {}),
  };
}

function countLines(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** The lines, each with its end. Twice as fast as splitting by an expression that looks behind. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from) + 1 || text.length;
    lines.push(text.slice(from, end));
    from = end;
  }
  return lines;
}
