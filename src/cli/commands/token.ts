import { join } from 'node:path';
import { parseUnits } from '../../coordinator/units.js';
import { isRefusal, refuse } from '../../domain/refusal.js';
import type { Phase } from '../../domain/scope.js';
import type { Role } from '../../http/identity.js';
import { type KeptToken, TokenFiles } from '../../http/token-files.js';
import type { Assembled } from '../assemble.js';
import { fail, paint, print, printJson, table } from '../output.js';

export interface CreateOptions {
  readonly role: Role;
  readonly units?: readonly string[];
  readonly phases?: readonly Phase[];
  /** Milliseconds from now. */
  readonly expires?: number;
  readonly json: boolean;
}

/** `token create`: prints the token, which is shown this once. */
export async function createToken({ parts }: Assembled, name: string, options: CreateOptions): Promise<void> {
  const { role, phases, expires, json } = options;
  if (role !== 'agent' && (options.units !== undefined || phases !== undefined)) return onlyAgents(role);
  const units = options.units && (await parseUnits(parts.workspace, options.units));
  if (isRefusal(units)) return fail(units);
  const limits = { ...(units ? { units } : {}), ...(phases ? { phases } : {}) };
  const now = Date.now();
  const wanted = {
    name,
    role,
    ...(units || phases ? { limits } : {}),
    ...(expires === undefined ? {} : { expires: now + expires }),
  };
  const made = filesOf(parts.workspace.root).create(wanted, now);
  if (isRefusal(made)) return fail(made);
  if (json) return printJson({ ...shown(made.kept), token: made.token });
  print(made.token);
  process.stderr.write(
    `The token of ${name} (${role}): it is shown this once. Send it as "Authorization: Bearer …".\n`,
  );
}

/** `token list`: never shows a token. */
export async function listTokens({ parts }: Assembled, json: boolean): Promise<void> {
  const tokens = filesOf(parts.workspace.root).list((path) => parts.log(`${path} holds no token: remove it`));
  if (json) return printJson({ tokens: tokens.map(shown) });
  if (tokens.length === 0)
    return print('No tokens. `signalbox serve` makes the first, `signalbox token create` others.');
  const rows = tokens.map((token) => {
    const { limits, expires } = token;
    const ends = expires === undefined ? '' : expires <= Date.now() ? paint('red', 'expired') : day(expires);
    return [token.name, token.role, day(token.created), ends, reach(limits?.units), reach(limits?.phases)];
  });
  print(table([['name', 'role', 'created', 'expires', 'units', 'phases'], ...rows]));
}

/** `token revoke`: servers that run notice it within a second. */
export async function revokeToken({ parts }: Assembled, name: string, json: boolean): Promise<void> {
  const refused = filesOf(parts.workspace.root).revoke(name);
  if (refused !== undefined) return fail(refused);
  if (json) printJson({ name, revoked: true });
  else print(`${name} is revoked. Its sessions end, and what they hold is free after the lease.`);
}

function filesOf(root: string): TokenFiles {
  return new TokenFiles(join(root, '.signalbox'));
}

function onlyAgents(role: Role): void {
  const next = 'Leave --units and --phases out, or pass --role agent.';
  fail(refuse('INVALID', `Only the token of an agent can be limited, not that of an ${role}.`, next));
}

function shown({ hash: _, created, expires, ...token }: KeptToken) {
  const ends = expires === undefined ? {} : { expires: new Date(expires).toISOString() };
  return { ...token, created: new Date(created).toISOString(), ...ends };
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

function reach(allowed: readonly string[] | undefined): string {
  return allowed === undefined ? 'all' : allowed.join(' ');
}
