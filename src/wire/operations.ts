import type { z } from 'zod';
import { eventPage, eventsQuery } from './events.js';
import { patchInput, readInput, runInput } from './inputs.js';
import * as answers from './rest-answers.js';
import * as inputs from './rest-inputs.js';

/** One route of the control plane. The server and its OpenAPI document are both made from this. */
export interface Operation {
  readonly method: 'get' | 'post' | 'patch';
  /** Parameters in braces. */
  readonly path: string;
  readonly summary: string;
  /** Who may call it: this role, or one that may do more. */
  readonly role: 'observer' | 'agent' | 'operator';
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** Every body is JSON; an empty one counts as `{}`. */
  readonly body?: z.ZodType;
  /** Takes If-Match, and answers with an ETag. */
  readonly matched?: true;
  /** What it answers never changes: takes If-None-Match, and answers with an ETag. */
  readonly lasting?: true;
  /** May answer with server-sent events, and resumes by Last-Event-ID. */
  readonly streams?: true;
  /** The statuses of success, with what each means; the first is the usual one. */
  readonly answers: { readonly [status: number]: string };
  readonly answer: z.ZodType | { readonly media: string };
}

const TEXT = { media: 'text/plain' } as const;
const BYTES = { media: 'application/octet-stream' } as const;

function operation<const T extends Operation>(value: T): T {
  return value;
}

/** In the order in which they are matched. */
export const OPERATIONS = {
  declareScopes: operation({
    method: 'post',
    path: '/control-plane/scopes',
    summary: 'Declare a scope, or many at once: all or nothing. Priority and checks are for operators',
    role: 'agent',
    body: inputs.declareBody,
    answers: { 201: 'Declared; Location is the first of them' },
    answer: answers.declared,
  }),
  listScopes: operation({
    method: 'get',
    path: '/control-plane/scopes',
    summary: 'Scopes, newest first',
    role: 'observer',
    query: inputs.scopesQuery,
    answers: { 200: 'A page' },
    answer: answers.scopePage,
  }),
  claimNextScope: operation({
    method: 'patch',
    path: '/control-plane/scopes/next/claim',
    summary:
      'Claim the next open scope: highest priority, then oldest, of those whose inputs have come and whose units are free',
    role: 'agent',
    body: inputs.nextBody,
    answers: { 200: 'It is yours', 202: 'It is yours, and waits' },
    answer: answers.claimed,
  }),
  getScope: operation({
    method: 'get',
    path: '/control-plane/scopes/{id}',
    summary: 'All that is known of a scope',
    role: 'observer',
    params: inputs.scopeParams,
    answers: { 200: 'The scope, with its ETag' },
    answer: answers.scopeDetail,
  }),
  amendScope: operation({
    method: 'patch',
    path: '/control-plane/scopes/{id}',
    summary: 'Change its contract; or pause, open again or cancel it',
    role: 'operator',
    params: inputs.scopeParams,
    body: inputs.amendBody,
    matched: true,
    answers: { 200: 'The scope as it stands now, with its ETag' },
    answer: answers.scopeDetail,
  }),
  claimScope: operation({
    method: 'patch',
    path: '/control-plane/scopes/{id}/claim',
    summary: 'Claim an open scope; or with its handle add units, or go on waiting',
    role: 'agent',
    params: inputs.scopeParams,
    body: inputs.claimBody,
    answers: { 200: 'It is yours', 202: 'It is yours, and waits: claim again with its handle' },
    answer: answers.claimed,
  }),
  publishOutput: operation({
    method: 'post',
    path: '/control-plane/scopes/{id}/output',
    summary: 'Commit what the scope changed, store its outputs, free its locks and unblock whoever waits for them',
    role: 'agent',
    params: inputs.scopeParams,
    body: inputs.outputBody,
    answers: { 200: 'Published', 202: 'A check has not ended: the same call again goes on waiting' },
    answer: answers.published,
  }),
  releaseScope: operation({
    method: 'post',
    path: '/control-plane/scopes/{id}/release',
    summary: 'Give a scope up; or, as an operator, take it away from its owner',
    role: 'agent',
    params: inputs.scopeParams,
    body: inputs.releaseBody,
    answers: { 200: 'Its locks are free' },
    answer: answers.released,
  }),
  noteScope: operation({
    method: 'post',
    path: '/control-plane/scopes/{id}/notes',
    summary: 'Tell its owner something, with the answer of its next call',
    role: 'operator',
    params: inputs.scopeParams,
    body: inputs.noteBody,
    answers: { 201: 'Noted' },
    answer: answers.operated,
  }),
  diffScope: operation({
    method: 'get',
    path: '/control-plane/scopes/{id}/diff',
    summary: 'What the scope changed, as a unified diff',
    role: 'observer',
    params: inputs.scopeParams,
    answers: { 200: 'A unified diff; empty where it changed nothing' },
    answer: TEXT,
  }),
  undoScope: operation({
    method: 'post',
    path: '/control-plane/scopes/{id}/undo',
    summary: 'Take back exactly what an ended scope changed, as a scope of your own; refused where others built on it',
    role: 'operator',
    params: inputs.scopeParams,
    body: inputs.undoBody,
    answers: { 200: 'It is undone, or was already; or, with conflict, a conflict scope is open' },
    answer: answers.undone,
  }),
  blame: operation({
    method: 'get',
    path: '/control-plane/blame',
    summary: 'Which scope and agent made which lines of a file',
    role: 'observer',
    query: inputs.blameQuery,
    answers: { 200: 'Its lines, with where they come from' },
    answer: answers.blamed,
  }),
  listArtifacts: operation({
    method: 'get',
    path: '/control-plane/artifacts',
    summary: 'Artifacts with where they come from, oldest first',
    role: 'observer',
    query: inputs.artifactsQuery,
    answers: { 200: 'A page' },
    answer: answers.artifactPage,
  }),
  getArtifact: operation({
    method: 'get',
    path: '/control-plane/artifacts/{hash}',
    summary: 'The content of an artifact',
    role: 'observer',
    params: inputs.artifactParams,
    lasting: true,
    answers: { 200: 'Its bytes', 304: 'Those that If-None-Match names' },
    answer: BYTES,
  }),
  getRun: operation({
    method: 'get',
    path: '/control-plane/runs/{id}',
    summary: 'A command: who ran it, and how it ended',
    role: 'observer',
    params: inputs.runParams,
    answers: { 200: 'The run' },
    answer: answers.runRecord,
  }),
  read: operation({
    method: 'post',
    path: '/control-plane/read',
    summary: 'The tool read',
    role: 'observer',
    body: readInput,
    answers: { 200: 'What was read; what cannot be has an error of its own' },
    answer: answers.readAnswer,
  }),
  patch: operation({
    method: 'post',
    path: '/control-plane/patch',
    summary: 'The tool patch',
    role: 'agent',
    body: patchInput,
    answers: { 200: 'Every file is changed' },
    answer: answers.patched,
  }),
  run: operation({
    method: 'post',
    path: '/control-plane/run',
    summary: 'The tool run',
    role: 'agent',
    body: runInput,
    answers: { 200: 'The command has ended, or is running' },
    answer: answers.runAnswer,
  }),
};

/** Served apart, because it may be a stream. */
export const EVENTS = operation({
  method: 'get',
  path: '/control-plane/events',
  summary: 'The ledger: a page, or with watch a stream of server-sent events, which resumes by Last-Event-ID',
  role: 'observer',
  query: eventsQuery,
  streams: true,
  answers: { 200: 'A page, or the stream' },
  answer: eventPage,
});

export type Operations = typeof OPERATIONS;
export type OperationName = keyof Operations;
