import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { serve } from '../support/agents.js';
import { send } from '../support/rest.js';
import { newWorkspace } from '../support/workspace.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = `${ROOT}/docs/openapi.json`;
/** Somebody else's: it knows nothing of how the document is made. */
const VALIDATOR = `${ROOT}/node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js`;

test('the OpenAPI document is valid, is the one in docs/, and is served to whoever has a token', async () => {
  const served = await serve(newWorkspace().root);
  const get = { method: 'GET', path: '/openapi.json' };
  const { status, body } = await send(served, { ...get, headers: { authorization: `Bearer ${served.token}` } });
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(readFileSync(DOCUMENT, 'utf8')));
  expect(execFileSync(process.execPath, [VALIDATOR, DOCUMENT], { encoding: 'utf8' })).toContain('"valid": true');
  expect((await send(served, { ...get, headers: {} })).status).toBe(401);
});

test('the events are described as the page and as the stream that they are', () => {
  const { parameters, responses } = JSON.parse(readFileSync(DOCUMENT, 'utf8')).paths['/control-plane/events'].get;
  expect(Object.keys(responses[200].content)).toEqual(['application/json', 'text/event-stream']);
  expect(parameters).toContainEqual(expect.objectContaining({ name: 'Last-Event-ID', in: 'header' }));
});

test('every reference in the OpenAPI document leads somewhere', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const document = JSON.parse(text);
  const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map((match) => String(match[1]).split('/'));
  expect(references.length).toBeGreaterThan(20);
  for (const way of references) {
    const found = way.reduce((at, name) => at?.[name], document);
    expect(found, way.join('/')).toBeDefined();
  }
});
