import type { HeldBy, ReadFile, ReadInput, ReadOutput } from '../../coordinator/contract.js';
import { readInput } from '../../wire/inputs.js';
import { plain, short } from '../notation.js';
import type { Image, Tool } from '../tool.js';

export const read: Tool<ReadInput, ReadOutput> = {
  name: 'read',
  title: 'Read files and folders',
  description:
    'Read files, list folders or fetch artifacts. Needs no claim. Each comes after a line === path (version, lines, holder) ===, the text raw, without line numbers. To search: run git grep.',
  effect: 'look',
  schema: readInput,
  handler: (coordinator, caller, input) => coordinator.read(caller, input),
  text: ({ files }) => {
    const fence = fenceFor(files);
    return files.map((file) => section(file, fence)).join('');
  },
  images: ({ files }) => files.flatMap((file): Image[] => ('image' in file ? [file.image] : [])),
  // The bytes of an image go to every client as image content, once.
  structured: ({ files }) => ({
    files: files.map((file) => ('image' in file ? { ...file, image: { mimeType: file.image.mimeType } } : file)),
  }),
};

/** Longer than any header-like run in the texts, so that no line of a file can pass for a header. */
function fenceFor(files: readonly ReadFile[]): string {
  const runs = files.flatMap((file) => ('text' in file ? (file.text.match(/^={3,}(?= )/gm) ?? []) : []));
  return '='.repeat(runs.reduce((longest, run) => Math.max(longest, run.length + 1), 3));
}

function section(file: ReadFile, fence: string): string {
  const { head, body } = described(file);
  const ending = body === '' || body.endsWith('\n') ? '' : '\n';
  return `${fence} ${head} ${fence}\n${body}${ending}`;
}

function described(file: ReadFile): { head: string; body: string } {
  if ('error' in file) return { head: `${plain(file.path)} (not read)`, body: file.error };
  if ('entries' in file) return folder(file);
  if ('image' in file) {
    return {
      head: `${plain(file.path)} (${facts([`version ${short(file.version)}`, 'an image'], file.held_by)})`,
      body: '',
    };
  }
  return { head: `${plain(file.path)} (${facts(textFacts(file), file.held_by)})`, body: file.text };
}

function textFacts(file: Extract<ReadFile, { text: string }>): string[] {
  const whole = file.from <= 1 && file.to >= file.total_lines;
  return [
    `version ${short(file.version)}`,
    linesShown(file),
    ...(file.truncated === true ? cuts(file) : []),
    ...(whole && file.truncated !== true && file.text !== '' && !file.text.endsWith('\n')
      ? ['no newline at the end']
      : []),
  ];
}

function linesShown({ from, to, total_lines: total }: Extract<ReadFile, { text: string }>): string {
  if (total === 0) return 'empty';
  return to < from ? `none of ${total} lines, for want of room` : `lines ${from}-${to} of ${total}`;
}

/** What was left out. Whole lines come with their ends, so text without one stops within a line. */
function cuts({ path, text, to, total_lines: total }: Extract<ReadFile, { text: string }>): string[] {
  const within = text !== '' && !text.endsWith('\n');
  return [
    ...(within ? [`line ${to} is longer than one call can show: use run for the rest of it`] : []),
    ...(to < total ? [`cut: go on with ${plain(path)}:${to + 1}-${total}`] : []),
  ];
}

function folder(file: Extract<ReadFile, { entries: readonly unknown[] }>): { head: string; body: string } {
  const more = file.more ?? 0;
  const body = file.entries.map(entryLine).join('');
  return {
    head: `${plain(file.path)} (folder, ${file.entries.length + more} entries)`,
    body: more > 0 ? `${body}${more} more\n` : body,
  };
}

function entryLine(entry: Extract<ReadFile, { entries: readonly unknown[] }>['entries'][number]): string {
  const name = plain(entry.kind === 'folder' ? `${entry.name}/` : entry.name);
  const kind = entry.kind === 'folder' || entry.kind === 'file' ? [] : [entry.kind];
  const size = entry.size === undefined ? [] : [`${entry.size} bytes`];
  const notes = facts([...kind, ...size], entry.held_by);
  return notes === '' ? `${name}\n` : `${name} (${notes})\n`;
}

function facts(known: readonly string[], holder: HeldBy | undefined): string {
  if (holder === undefined) return known.join(', ');
  const mode = holder.mode === 'write' ? '' : ` to ${holder.mode}`;
  return [...known, `held${mode} by ${holder.id} ${holder.agent}`].join(', ');
}
