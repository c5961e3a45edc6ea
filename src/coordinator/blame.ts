import type { ChangeRow } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { decodeText } from '../workspace/text/text.js';
import { quoted, wrongArgument } from './argument.js';
import type { BlamedLines, BlameOutput } from './control-plane-contract.js';
import { comparable, lineOrigins, type Origin, pathHistory } from './line-origins.js';
import type { Parts } from './parts.js';
import { type Present, presentFile } from './present.js';
import { parseWish, type Wish } from './read.js';
import { isoTime } from './scope-detail.js';
import { settled } from './settled.js';

const ATTEMPTS = 20;

/** Who made which lines of a file, by the changes that are on record. */
export async function blame(parts: Parts, given: string): Promise<BlameOutput | Refusal> {
  const wish = await wished(parts, given);
  if (isRefusal(wish)) return wish;
  const { path } = wish;
  const found = await atRest(parts, path);
  if (isRefusal(found)) return found;
  const { present, rows } = found;
  if (present.bytes === null || present.version === null) return notThere(path, rows.at(-1));
  if (decodeText(present.bytes) === null)
    return refuse('BINARY', `${path} is not text: it has no lines.`, 'Look at the events of the file.', { path });
  const lines = comparable(path, present.bytes);
  if (isRefusal(lines)) return lines;
  const origins = await lineOrigins(parts, path, rows, { version: present.version, lines });
  if (isRefusal(origins)) return origins;
  const { from = 1, to = lines.length } = wish;
  if (from > Math.max(1, lines.length) || to < from)
    return wrongArgument('path', `lines from 1 to ${lines.length}`, quoted(given), `Ask for lines that ${path} has.`);
  const ranges = await told(parts, lines, origins, { from, to: Math.min(to, lines.length) });
  return { path, version: present.version, total_lines: lines.length, ranges };
}

/** The canonical path, and the lines. A name with a colon in it is taken for what it is where there is such a file. */
async function wished(parts: Parts, given: string): Promise<Wish | Refusal> {
  const wish = parseWish(given);
  const whole = wish.from === undefined ? undefined : await parts.workspace.look(given);
  const isWhole = whole !== undefined && !isRefusal(whole) && whole.kind === 'file';
  const path = await parts.workspace.resolve(isWhole ? given : wish.path, 'read');
  if (isRefusal(path)) return path;
  return isWhole ? { given, path } : { ...wish, path };
}

/** The file and its changes, looked at while nobody changed it. */
async function atRest(parts: Parts, path: string) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await settled(parts);
    const present = await presentFile(parts, path);
    if (isRefusal(present)) return present;
    const rows = await pathHistory(parts, path);
    if (isRefusal(rows)) return rows;
    const again = await presentFile(parts, path);
    if (isSame(present, again) && !parts.store.applying().includes(path)) return { present, rows };
  }
  return refuse('BUSY', `${path} was being changed all the while.`, 'Ask again in a moment.', { path });
}

function isSame(present: Present, again: Present | Refusal): boolean {
  return !isRefusal(again) && again.version === present.version;
}

function notThere(path: string, last: ChangeRow | undefined): Refusal {
  const by = last?.after === null ? last.scope : null;
  const who = last === undefined ? '' : ` any more: ${by ?? 'somebody outside Signalbox'} took it away`;
  return refuse('NOT_FOUND', `${path} is not there${who}.`, 'Name a file of the workspace.', { path });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Lines next to one another that come from the same change are told together. */
async function told(
  parts: Parts,
  lines: readonly string[],
  origins: readonly Origin[],
  { from, to }: Range,
): Promise<BlamedLines[]> {
  const makers = new Map<Origin, Pick<BlamedLines, 'agent' | 'title' | 'run' | 'time'>>();
  const ranges: BlamedLines[] = [];
  for (let at = from; at <= to; ) {
    const origin = origins[at - 1];
    if (origin === undefined) throw new Error(`line ${at} comes from nowhere`);
    let last = at;
    while (last < to && origins[last] === origin) last++;
    const maker = makers.get(origin) ?? (await makerOf(parts, origin));
    makers.set(origin, maker);
    ranges.push({ from: at, to: last, ...origin, ...maker, text: lines.slice(at - 1, last).join('') });
    at = last + 1;
  }
  return ranges;
}

async function makerOf(parts: Parts, origin: Origin): Promise<Pick<BlamedLines, 'agent' | 'title' | 'run' | 'time'>> {
  const [event] =
    'seq' in origin ? await parts.store.events({ after: origin.seq - 1, until: origin.seq, limit: 1 }) : [];
  if (event === undefined) return {};
  const time = isoTime(event.wall);
  if (origin.by !== 'scope') return { time };
  const { scope } = origin;
  const title = await parts.store.view({ scopes: [scope] }, (view) => view.scope(scope)?.contract.title);
  const run = event.body.type === 'files.changed' ? event.body.run : undefined;
  return { agent: event.agent, time, ...(title === undefined ? {} : { title }), ...(run === undefined ? {} : { run }) };
}
