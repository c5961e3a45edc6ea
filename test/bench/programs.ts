import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Files = { readonly [path: string]: string };

/** An MCP server over stdio. */
export interface Program {
  readonly name: 'ours' | 'theirs';
  /** Arguments for Node. */
  command(root: string): string[];
}

/** The package as it is built, not the copy that the benchmark is compiled with. */
export const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export const OURS: Program = { name: 'ours', command: () => [MAIN, 'mcp'] };

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/package.json');

export const THEIRS: Program = { name: 'theirs', command: (root) => [join(dirname(manifest), 'dist/index.js'), root] };
