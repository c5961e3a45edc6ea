import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newWorkspace, type TestWorkspace } from './workspace.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/shop', import.meta.url));

/** A copy of the example, as a repository of its own. */
export function newShop(): TestWorkspace {
  const files = readdirSync(EXAMPLE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return newWorkspace(Object.fromEntries(paths.map((path) => [relative(EXAMPLE, path), readFileSync(path, 'utf8')])));
}
