// Writes docs/tools.md, docs/openapi.json and docs/signalbox.schema.json from the values that the server runs. `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { toolList } from '../dist/mcp/catalog.js';
import { configSchema } from '../dist/wire/config.js';
import { openApi } from '../dist/wire/openapi.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const check = process.argv.includes('--check');

function kind(schema) {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.type === 'array') return `list of ${kind(schema.items)}`;
  return schema.type ?? 'any';
}

function rows(schema, prefix = '') {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => [
    `| \`${prefix}${name}\` | ${kind(value)} | ${required.has(name) ? 'yes' : ''} | ${(value.description ?? '').replaceAll('|', '\\|')} |`,
    ...(value.type === 'array' && value.items?.properties ? rows(value.items, `${prefix}${name}[].`) : []),
  ]);
}

const tools = toolList().map((tool) =>
  [
    `## ${tool.name}`,
    '',
    tool.description,
    '',
    '| argument | type | required | |',
    '|---|---|---|---|',
    ...rows(tool.inputSchema),
    '',
  ].join('\n'),
);
const head = [
  '# Tools',
  '',
  'Made by `npm run docs` from the values that the server runs. Results and refusals are described in',
  '[architecture.md](architecture.md) and by the shapes in [src/coordinator/contract.ts](../src/coordinator/contract.ts).',
  '',
  'Unknown arguments are ignored and named, unless they are close to a real one; JSON text is accepted where a list or an',
  'object belongs. A refusal is a result with `isError`, and its text is `CODE: sentence`, the facts, and the next call.',
  '',
  '',
].join('\n');

const files = {
  'docs/tools.md': head + tools.join('\n'),
  'docs/openapi.json': `${JSON.stringify(openApi(version), null, 2)}\n`,
  'docs/signalbox.schema.json': `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`,
};

let stale = false;
for (const [path, text] of Object.entries(files)) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!check) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is not what the code says: run npm run docs`);
    stale = true;
  }
}
process.exitCode = stale ? 1 : 0;
