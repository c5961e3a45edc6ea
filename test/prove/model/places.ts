/** Units of a small world, told by the paths that each covers: two overlap exactly where they share one. */
export type Units = readonly string[];

/** Between them they have a path for every way in which the units below can meet. */
const PATHS = [
  'a.ts',
  'b.ts',
  'z',
  'src/a.ts',
  'src/b.ts',
  'src/d.sql',
  'src/z',
  'src/lib/a.ts',
  'src/lib/c.sql',
  'src/lib/z',
  'docs/x.md',
];

const PATTERNS: { readonly [unit: string]: RegExp } = {
  'a.ts': /^a\.ts$/,
  'b.ts': /^b\.ts$/,
  'src/a.ts': /^src\/a\.ts$/,
  'src/b.ts': /^src\/b\.ts$/,
  'src/lib/c.sql': /^src\/lib\/c\.sql$/,
  'src/': /^src\//,
  'src/lib/': /^src\/lib\//,
  './': /./,
  '*.ts': /^[^/]*\.ts$/,
  'src/*.ts': /^src\/[^/]*\.ts$/,
  '**/*.ts': /\.ts$/,
  'src/**/*.sql': /^src\/.*\.sql$/,
  'src/[ab].ts': /^src\/[ab]\.ts$/,
  'docs/?.md': /^docs\/.\.md$/,
  '{a,src/lib/a}.ts': /^(a|src\/lib\/a)\.ts$/,
};

export const UNITS: Units = [...Object.keys(PATTERNS), 'process:one', 'process:two'];
export const FILES: Units = ['a.ts', 'b.ts', 'src/a.ts', 'src/b.ts', 'src/lib/c.sql', 'docs/x.md'];

const ROOMS: { readonly [unit: string]: number } = { 'process:two': 2 };

/** How many may hold it at once. */
export function room(unit: string): number {
  return ROOMS[unit] ?? 1;
}

export const CAPACITY: ReadonlyMap<string, number> = new Map([['two', 2]]);

export function conflict(a: string, aMode: string, b: string, bMode: string): boolean {
  if (a.startsWith('process:') || b.startsWith('process:')) return a === b;
  return (aMode === 'write' || bMode === 'write') && MEET.get(a)?.has(b) === true;
}

export function coversPath(unit: string, path: string): boolean {
  return PATTERNS[unit]?.test(path) ?? unit === path;
}

function meets(a: string, b: string): boolean {
  return PATHS.some((path) => coversPath(a, path) && coversPath(b, path));
}

const ALL = [...new Set([...UNITS, ...FILES])];
const MEET: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ALL.map((a) => [a, new Set(ALL.filter((b) => meets(a, b)))]),
);
