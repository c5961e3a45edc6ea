import { styleText } from 'node:util';
import type { Code, Refusal } from '../domain/refusal.js';

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan' | 'magenta';

/** Colours only where a person looks: on a terminal, and not where NO_COLOR asks for none. */
export function paint(style: Style, text: string): string {
  const plain = !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  return plain ? text : styleText(style, text);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** What helps a person where the refusal speaks to an agent. */
const FOR_PEOPLE: { readonly [code in Code]?: string } = {
  UNKNOWN_SCOPE: '`signalbox scopes` lists the scopes; `--status done` those that have ended.',
  NOT_CLAIMED: '`signalbox status` shows who holds what.',
  PROTECTED: 'No agent can change it, held or not.',
};

/** A refusal on the command line: the reason and the next step on stderr, and exit code 1. */
export function fail({ code, sentence, next }: Refusal): void {
  process.stderr.write(`signalbox: ${code}: ${safeLines(sentence)}\n${FOR_PEOPLE[code] ?? safeLines(next)}\n`);
  process.exitCode = 1;
}

/** Names and titles come from agents: whatever could steer a terminal or hide text is shown, not sent. */
export function safe(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same for a text of several lines. */
export function safeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(safe).join('\t'))
    .join('\n');
}

/** So much of a hash or a commit as people need: what takes a hash takes this too. */
export function shortHash(hash: string): string {
  return hash.slice(0, 10);
}

/** Rows as a table with as much room for each column as it needs. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row, at) => {
      const line = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd();
      return at === 0 ? paint('bold', line) : line;
    })
    .join('\n');
}
