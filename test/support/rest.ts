import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'vitest';
import { OPERATIONS, type Operation, type OperationName } from '../../src/wire/operations.js';
import type { Served } from './agents.js';
import { runCli } from './cli.js';

/** What a route answered. `body` is parsed where it is JSON. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at many shapes, and a wrong look fails the test.
  readonly body: any;
}

export interface RestRequest {
  readonly params?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: string };
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/** A program that uses the control plane with one token, as one agent. */
export interface Program {
  /** Calls a route, and throws unless it succeeds as its description says. */
  ok(name: OperationName, request?: RestRequest): Promise<RestAnswer>;
  /** Calls a route that has to answer with a problem document of this status and code. */
  refused(status: number, code: string | undefined, name: OperationName, request?: RestRequest): Promise<RestAnswer>;
}

/** Every route that a program has called with success in this process. */
export const CALLED = new Set<OperationName>();

export function program(
  served: Served,
  { token = served.token, agent }: { token?: string; agent?: string } = {},
): Program {
  const usual = { authorization: `Bearer ${token}`, ...(agent === undefined ? {} : { 'signalbox-agent': agent }) };
  const call = (name: OperationName, { headers, ...rest }: RestRequest) =>
    callRoute(served, OPERATIONS[name], { ...rest, headers: { ...usual, ...headers } });
  return {
    async ok(name, request = {}) {
      const answer = await call(name, request);
      const operation: Operation = OPERATIONS[name];
      const seen = `${name}: ${answer.status} ${answer.text}`;
      expect(Object.keys(operation.answers), seen).toContain(String(answer.status));
      if (answer.status === 304) return answer;
      if ('media' in operation.answer) expect(answer.headers['content-type'], seen).toContain(operation.answer.media);
      // All that is answered is described: the schema leaves out what it does not know.
      else expect(operation.answer.parse(answer.body), seen).toEqual(answer.body);
      CALLED.add(name);
      return answer;
    },
    async refused(status, code, name, request = {}) {
      const answer = await call(name, request);
      expectProblem(answer, status, code);
      return answer;
    },
  };
}

/** RFC 9457: the type of the document, and its members. */
export function expectProblem(answer: RestAnswer, status: number, code?: string): void {
  const { headers, body, text } = answer;
  expect([answer.status, headers['content-type'], body.code], text).toEqual([status, 'application/problem+json', code]);
  const members = { type: expect.any(String), title: expect.any(String), status, detail: expect.stringMatching(/./) };
  expect(body).toMatchObject(
    code === undefined ? members : { ...members, facts: expect.any(Object), next: expect.any(String) },
  );
  expect(text).not.toMatch(/undefined|NaN|\[object|Error:| at .*\.js:/);
}

function callRoute(
  served: Served,
  { method, path }: Operation,
  { params = {}, query = {}, body, headers }: RestRequest,
) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return send(served, {
    method: method.toUpperCase(),
    path: search === '' ? filled : `${filled}?${search}`,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string | Buffer;
}

/** Not `fetch`: it would set Host and Origin by itself. */
export async function send({ url }: Served, { method, path, headers, body }: Sent): Promise<RestAnswer> {
  const { hostname, port } = new URL(url);
  const sent = request({ host: hostname, port, method, path, headers, agent: false });
  sent.on('error', () => undefined);
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const type = String(response.headers['content-type']);
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    body: /json/.test(type) ? JSON.parse(text) : undefined,
  };
}

/** Makes a token on the command line. */
export async function tokenFor(root: string, name: string, ...options: string[]): Promise<string> {
  const { code, out, err } = await runCli(['token', 'create', name, ...options, '--json', '--root', root]);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out).token;
}
