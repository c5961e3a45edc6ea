import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { isReserved } from '../domain/agent-name.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { PHASES } from '../domain/scope.js';
import { type Identity, ROLES } from './identity.js';
import { hashOf } from './tokens.js';

/** What is kept of a token. Times are milliseconds since 1970. */
export interface KeptToken extends Identity {
  /** SHA-256, in hex. */
  readonly hash: string;
  readonly created: number;
  readonly expires?: number;
}

export type NewToken = Identity & { readonly expires?: number };

/** The name of the token that the first `serve` makes. */
export const FIRST = 'operator';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_TOKENS = 1_000;
const MAX_FILE = 1_000_000;

const kept = z.strictObject({
  role: z.enum(ROLES),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  created: z.number(),
  expires: z.number().exactOptional(),
  limits: z
    .strictObject({
      units: z.array(z.string()).exactOptional(),
      phases: z.array(z.enum(PHASES)).exactOptional(),
    })
    .exactOptional(),
});

/**
 * The tokens of a workspace: one file each, below `.signalbox/`. Making one links a file into place and revoking one removes
 * it, each of which is atomic; nothing is read, changed and written back. So several processes need no lock, and a table
 * of the ledger, whose history would keep them, is not needed either.
 *
 * The first token is the plain file `.signalbox/token`, which people copy it from; it is valid as long as it is there.
 */
export class TokenFiles {
  readonly #first: string;
  readonly #folder: string;

  /** @param folder `.signalbox` of the workspace */
  constructor(folder: string) {
    this.#first = join(folder, 'token');
    this.#folder = join(folder, 'tokens');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** The operator's token: made where there is none, and the same ever after, until it is revoked. */
  first(): { readonly token: string; readonly path: string } {
    put(this.#first, `${newToken()}\n`);
    chmodSync(this.#first, 0o600);
    const token = readFileSync(this.#first, 'utf8').trim();
    if (token.length < 32) throw new Error(`${this.#first} holds no token: remove it and start again`);
    return { token, path: this.#first };
  }

  /** Makes a token. It is told this once; what is kept of it cannot be turned back. */
  create({ name, ...rights }: NewToken, now: number): { readonly token: string; readonly kept: KeptToken } | Refusal {
    if (!NAME.test(name) || isReserved(name)) return badName(name);
    if (this.#names().length >= MAX_TOKENS) return tooMany();
    const token = newToken();
    const content = { ...rights, hash: hashOf(token), created: now };
    if (name === FIRST || !put(join(this.#folder, name), `${JSON.stringify(content)}\n`)) return inUse(name);
    return { token, kept: { name, ...content } };
  }

  /** From now on nobody gets in with it; servers that run notice it. */
  revoke(name: string): Refusal | undefined {
    if (!NAME.test(name)) return badName(name);
    try {
      unlinkSync(name === FIRST ? this.#first : join(this.#folder, name));
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const next = '`signalbox token list` shows the tokens.';
      return refuse('NOT_FOUND', `There is no token of the name ${name}.`, next, { name });
    }
  }

  /** All tokens, expired ones too. `broken` hears of files that hold none: they let nobody in. */
  list(broken: (path: string) => void): KeptToken[] {
    return [this.#operator(), ...this.#names().map((name) => this.#read(name, broken))].filter(
      (each) => each !== undefined,
    );
  }

  /** Differs after a change; `at` is when the last one was, in milliseconds since 1970. Two in one tick look alike. */
  state(): { readonly text: string; readonly at: number } {
    const found = [this.#folder, this.#first].map((path) => statSync(path, { throwIfNoEntry: false }));
    return {
      text: found.map((stat) => `${stat?.ino}:${stat?.mtimeMs}`).join(' '),
      at: Math.max(...found.map((stat) => stat?.mtimeMs ?? 0)),
    };
  }

  #operator(): KeptToken | undefined {
    const text = readIfThere(this.#first);
    const token = text?.trim() ?? '';
    if (token.length < 32) return undefined;
    return { name: FIRST, role: 'operator', hash: hashOf(token), created: statSync(this.#first).mtimeMs };
  }

  #read(name: string, broken: (path: string) => void): KeptToken | undefined {
    const path = join(this.#folder, name);
    const text = readIfThere(path);
    if (text === undefined) return undefined;
    const parsed = kept.safeParse(jsonOf(text));
    if (parsed.success) return { name, ...parsed.data };
    broken(path);
    return undefined;
  }

  /** Whether not only the tokens are gone, but all that Signalbox keeps in the workspace. */
  isStateGone(): boolean {
    return !existsSync(dirname(this.#folder));
  }

  #names(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => NAME.test(name) && name !== FIRST)
      .sort();
  }
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Writes a whole file where there is none; false where there is one. Linked into place: nobody ever reads half of it. */
function put(path: string, text: string): boolean {
  const temp = `${path}.~${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(temp, text, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(temp, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(temp);
  }
}

/** Undefined where there is none (any more), or where it is no file that could hold a token. */
function readIfThere(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= MAX_FILE ? readFileSync(path, 'utf8') : '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function badName(name: string): Refusal {
  const expected =
    '1 to 64 of the characters A-Z a-z 0-9 . _ -, beginning with a letter or digit, and no name of Signalbox itself';
  const next = 'Choose a name like ada or ci-runner.';
  return refuse(
    'INVALID',
    `${JSON.stringify(name.slice(0, 80))} is no name for a token: expected ${expected}.`,
    next,
    {},
  );
}

function inUse(name: string): Refusal {
  const next = `Choose another name, or revoke that one first: signalbox token revoke ${name}`;
  return refuse('INVALID', `There is a token of the name ${name} already.`, next, { name });
}

function tooMany(): Refusal {
  return refuse('LIMIT', `There are ${MAX_TOKENS} tokens.`, 'Revoke those that nobody uses.', { limit: MAX_TOKENS });
}
