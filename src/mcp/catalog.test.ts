import { expect, test } from 'vitest';
import { type Shape, shapeOf } from '../wire/shape.js';
import { TOOLS, toolList } from './catalog.js';
import { INSTRUCTIONS } from './server.js';

const shown = toolList().map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));

test('what a client shows to the model stays under 1,600 tokens', () => {
  expect(Buffer.byteLength(JSON.stringify(shown)) / 4).toBeLessThan(1_600);
});

test('the eight tools are always the same, in the same order', () => {
  expect(shown.map(({ name }) => name)).toEqual([
    'read',
    'patch',
    'run',
    'claim_scope',
    'publish_output',
    'open_scope',
    'release_scope',
    'list_scopes',
  ]);
});

test('input schemas are flat: no unions, no dialect, no limits', () => {
  const keys = new Set(TOOLS.flatMap((tool) => keysOf(shapeOf(tool.schema))));
  expect([...keys].toSorted()).toEqual(['description', 'enum', 'items', 'properties', 'required', 'type']);
});

function keysOf(shape: Shape): string[] {
  const below = [...Object.values(shape.properties ?? {}), ...(shape.items === undefined ? [] : [shape.items])];
  return [...Object.keys(shape), ...below.flatMap(keysOf)];
}

test.each(toolList())('$name has all four annotations, no output schema and a description within 2 kB', (tool) => {
  expect(Object.keys(tool.annotations ?? {}).toSorted()).toEqual([
    'destructiveHint',
    'idempotentHint',
    'openWorldHint',
    'readOnlyHint',
  ]);
  expect(tool.outputSchema).toBeUndefined();
  expect(tool.description?.length).toBeLessThan(2_000);
});

test('the instructions fit in what Claude Code passes on', () => {
  expect(INSTRUCTIONS.length).toBeLessThan(2_000);
});
