import { type Agent, httpAgent, type Served, stdioAgent } from './agents.js';
import { type Program, program } from './rest.js';

/** Whoever does work, by whichever door. The answers are those of the tools. */
export interface Actor {
  open(scope: object): Promise<{ readonly id: string }>;
  claim(input: Claim): Promise<Claimed>;
  /** The text of a file or an artifact. */
  read(path: string): Promise<string>;
  patch(input: object): Promise<unknown>;
  /** A patch that has to be refused with this code. */
  refused(code: string, input: object): Promise<unknown>;
  run(input: object): Promise<{ readonly exit_code?: number; readonly output: string }>;
  publish(input: { readonly scope: string; readonly summary: string }): Promise<unknown>;
}

interface Claim {
  readonly scope?: string;
  readonly phase?: string;
  readonly wait_s?: number;
}

interface Claimed {
  readonly scope: string;
  readonly id: string;
  readonly status: string;
  readonly blocked_on?: readonly string[];
  readonly inputs?: readonly { readonly hash: string }[];
}

export function overRest(served: Served, agent: string): Actor {
  const rest = program(served, { agent });
  return {
    open: async (scope) => ({ id: (await rest.ok('declareScopes', { body: scope })).body.ids[0] }),
    claim: (input) => claimOver(rest, input),
    read: async (path) => (await rest.ok('read', { body: { paths: [path] } })).body.files[0].text,
    patch: async (input) => (await rest.ok('patch', { body: input })).body,
    refused: (code, input) => rest.refused(409, code, 'patch', { body: input }),
    run: async (input) => (await rest.ok('run', { body: input })).body,
    publish: (input) => rest.ok('publishOutput', { params: { id: idOf(input.scope) }, body: input }),
  };
}

async function claimOver(rest: Program, { scope, ...input }: Claim): Promise<Claimed> {
  if (scope === undefined) return (await rest.ok('claimNextScope', { body: input })).body;
  const own = scope.includes('-') ? { scope } : {};
  return (await rest.ok('claimScope', { params: { id: idOf(scope) }, body: { ...own, ...input } })).body;
}

function idOf(handle: string): string {
  return handle.replace(/-.*/, '');
}

export function byTools(agent: Agent): Actor {
  return {
    open: (scope) => agent.ok('open_scope', scope),
    claim: (input) => agent.ok('claim_scope', input),
    read: async (path) => (await agent.ok('read', { paths: [path] })).files[0].text,
    patch: (input) => agent.ok('patch', input),
    refused: (code, input) => agent.refused(code, 'patch', input),
    run: (input) => agent.ok('run', input),
    publish: (input) => agent.ok('publish_output', input),
  };
}

export async function overStdio(root: string, name: string): Promise<Actor> {
  return byTools(await stdioAgent(root, name));
}

export async function overHttp(served: Served, name: string): Promise<Actor> {
  return byTools(await httpAgent(served, name, 'modern'));
}
