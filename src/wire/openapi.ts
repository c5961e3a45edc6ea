import { z } from 'zod';
import { eventPage, publicEvent } from './events.js';
import * as toolInputs from './inputs.js';
import { EVENTS, OPERATIONS, type Operation } from './operations.js';
import { problemSchema } from './problems.js';
import * as answers from './rest-answers.js';
import * as inputs from './rest-inputs.js';

type Json = { readonly [name: string]: unknown };

const DESCRIPTION = [
  'Programs declare scopes of work, claim them, change files under them and publish their outputs.',
  'A refusal is a problem document: code, the facts as fields, and what to do next.',
].join(' ');

/** Schemas that stand by themselves, under their names. */
const NAMED: { readonly [name: string]: z.ZodType } = {
  Declaration: inputs.declaration,
  Plan: inputs.plan,
  Amendment: inputs.amendBody,
  Claim: inputs.claimBody,
  NextClaim: inputs.nextBody,
  Output: inputs.outputBody,
  Release: inputs.releaseBody,
  Note: inputs.noteBody,
  Undo: inputs.undoBody,
  Read: toolInputs.readInput,
  Patch: toolInputs.patchInput,
  Run: toolInputs.runInput,
  Declared: answers.declared,
  ScopeSummary: answers.scopeSummary,
  ScopePage: answers.scopePage,
  Scope: answers.scopeDetail,
  Operated: answers.operated,
  Claimed: answers.claimed,
  Published: answers.published,
  Released: answers.released,
  Undone: answers.undone,
  Blamed: answers.blamed,
  Artifact: answers.artifactRecord,
  ArtifactPage: answers.artifactPage,
  RunRecord: answers.runRecord,
  Files: answers.readAnswer,
  Patched: answers.patched,
  RunAnswer: answers.runAnswer,
  Event: publicEvent,
  EventPage: eventPage,
  Problem: problemSchema,
};

/** The control plane as OpenAPI 3.1 describes it, from the schemas that the server runs. */
export function openApi(version: string): Json {
  const paths: { [path: string]: { [method: string]: Json } } = {};
  for (const [name, operation] of Object.entries<Operation>({ ...OPERATIONS, listEvents: EVENTS })) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: described(name, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: schemas(),
      headers: {
        ETag: { description: 'The revision of the scope, or the hash of the content', schema: { type: 'string' } },
      },
    },
  };
}

function described(name: string, operation: Operation): Json {
  const { summary, role, body, answers: statuses } = operation;
  const parameters = parametersOf(operation);
  const accepted = Object.entries(statuses).map(([status, description]) => [
    status,
    success(operation, status, description),
  ]);
  return {
    operationId: name,
    summary,
    description: `For tokens of the role ${role}${role === 'operator' ? '' : ', or one that may do more'}.`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: { ...Object.fromEntries(accepted), default: problem() },
  };
}

function bodyOf(body: z.ZodType): Json {
  const content = { 'application/json': { schema: refTo(body) } };
  return body.safeParse({}).success ? { content } : { required: true, content };
}

function success(operation: Operation, status: string, description: string): Json {
  const { answer, answers: statuses, matched, lasting, streams, method, path } = operation;
  const media = 'media' in answer ? answer.media : 'application/json';
  const schema = 'media' in answer ? {} : { schema: refTo(answer) };
  const isTagged = matched === true || lasting === true || (method === 'get' && path.endsWith('/scopes/{id}'));
  const content = { [media]: schema, ...(streams === true ? { 'text/event-stream': EVENT_STREAM } : {}) };
  return {
    description,
    ...(isTagged ? { headers: { ETag: { $ref: '#/components/headers/ETag' } } } : {}),
    ...(201 in statuses && path.endsWith('/scopes') ? { headers: { Location: { schema: { type: 'string' } } } } : {}),
    ...(status === '304' ? {} : { content }),
  };
}

function problem(): Json {
  const schema = { $ref: '#/components/schemas/Problem' };
  return { description: 'Refused', content: { 'application/problem+json': { schema } } };
}

const STRING = { type: 'string' };
const EVENT_STREAM = {
  schema: { type: 'string', description: '`id` is the seq of an event, `event` its type, `data` an Event as JSON' },
};

/** Headers that an operation may take. */
const HEADERS = {
  agent: { name: 'Signalbox-Agent', description: 'Who acts; the name of the token where left out' },
  match: { name: 'If-Match', description: 'Only if one of these is its ETag still; else 412' },
  held: { name: 'If-None-Match', description: 'ETags of contents that you have; where it is one of them, 304' },
  last: { name: 'Last-Event-ID', description: 'A stream begins after this event, whatever `after` says' },
  trace: { name: 'traceparent', description: 'W3C trace context; stands with every event of the call' },
};

function parametersOf({ params, query, role, matched, lasting, streams }: Operation): Json[] {
  const headers = [
    ...(role === 'agent' ? [HEADERS.agent] : []),
    ...(matched === true ? [HEADERS.match] : []),
    ...(lasting === true ? [HEADERS.held] : []),
    ...(streams === true ? [HEADERS.last] : []),
    HEADERS.trace,
  ];
  return [
    ...(params === undefined ? [] : fieldsOf(params, 'path')),
    ...(query === undefined ? [] : fieldsOf(query, 'query')),
    ...headers.map(({ name, description }) => ({ name, in: 'header', description, schema: STRING })),
  ];
}

function fieldsOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, given]) => {
    const { description, ...rest } = given as Json;
    const said = description === undefined ? {} : { description };
    return { name, in: place, ...(place === 'path' ? { required: true } : {}), ...said, schema: rest };
  });
}

function refTo(schema: z.ZodType): Json {
  const name = Object.keys(NAMED).find((each) => NAMED[each] === schema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  if (schema instanceof z.ZodUnion) return { anyOf: schema.options.map((option) => refTo(option as z.ZodType)) };
  throw new Error('a schema of an operation has no name');
}

function schemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
