import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms that each room may import from, besides itself. */
const ALLOWED: { readonly [room: string]: readonly string[] } = {
  domain: [],
  wire: ['domain'],
  store: ['domain'],
  workspace: ['domain'],
  processes: ['domain'],
  coordinator: ['store', 'workspace', 'processes', 'domain'],
  mcp: ['coordinator', 'wire', 'domain'],
  http: ['coordinator', 'wire', 'domain'],
  cli: ['mcp', 'http', 'coordinator', 'store', 'workspace', 'processes', 'wire', 'domain'],
};

/** What the pure rooms must not reach for. */
const IMPURE = /\bDate\.now|new Date\(\)|Math\.random|randomUUID|performance\.now|hrtime|from 'node:|better-sqlite3/;
const PURE = ['domain'];

interface Line {
  readonly file: string;
  readonly number: number;
  readonly text: string;
}

const lines: Line[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(test|testsuite)\.ts$/.test(file))
  .flatMap((file) =>
    readFileSync(join(SRC, file), 'utf8')
      .split('\n')
      .map((text, at) => ({ file, number: at + 1, text })),
  );

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function importedRoom({ file, text }: Line): string | undefined {
  const path = /(?:from|import\()\s*'(\.[^']+)'/.exec(text)?.[1];
  return path === undefined ? undefined : roomOf(relative(SRC, normalize(join(SRC, file, '..', path))));
}

test('rooms import one way only', () => {
  const broken = lines.filter((line) => {
    const from = importedRoom(line);
    const room = roomOf(line.file);
    return from !== undefined && from !== room && !(ALLOWED[room] ?? []).includes(from);
  });
  expect(broken.map(({ file, number, text }) => `src/${file}:${number}: ${text.trim()}`)).toEqual([]);
});

test('the pure rooms name no clock, no chance and no disk', () => {
  const broken = lines.filter(({ file, text }) => PURE.includes(roomOf(file)) && IMPURE.test(text));
  expect(broken.map(({ file, number, text }) => `src/${file}:${number}: ${text.trim()}`)).toEqual([]);
});

test('files stay under 300 lines', () => {
  const sizes = new Map<string, number>();
  for (const { file, number } of lines) sizes.set(file, number - 1);
  expect([...sizes].filter(([, size]) => size > 300)).toEqual([]);
});

test('every room of the source is in the table', () => {
  expect(new Set(lines.map(({ file }) => roomOf(file)))).toEqual(new Set(Object.keys(ALLOWED)));
});
