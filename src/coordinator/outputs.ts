import { hash as digest } from 'node:crypto';
import type { Content } from '../domain/intent.js';
import { tooMuch } from '../domain/outputs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Artifact, Scope } from '../domain/scope.js';
import { inArgument, quoted, wrongArgument } from './argument.js';
import { storedContent } from './artifacts.js';
import type { PublishInput } from './contract.js';
import { scopeDiff } from './history.js';
import type { Parts } from './parts.js';
import { presentFile } from './present.js';
import { titleFrom } from './title.js';

const STORED = 'artifact:';

/** An output with its content, on its way to be published. */
export type Output = Omit<Artifact, 'id'>;

export interface Outputs {
  readonly artifacts: readonly Output[];
  /** To be kept: what is stored already might expire before it is published. */
  readonly contents: readonly Content[];
}

/** An output as it was asked for, and where. */
interface Wish {
  readonly type: string;
  readonly path?: string;
  readonly content?: string;
  /** Names what was kept before. */
  readonly stored?: string;
  readonly argument: string;
}

/** What is promised in `produces` and what the call names, each with its content at this moment. */
export async function collect(parts: Parts, own: Scope, input: PublishInput): Promise<Outputs | Refusal> {
  const named = await namedOutputs(parts, input);
  if (isRefusal(named)) return named;
  const promised = (input.status ?? 'done') === 'done' ? stillPromised(own, named) : [];
  const wishes = [...named, ...promised];
  const load = { artifacts: wishes.length, bytes: 0 };
  const artifacts: Output[] = [];
  const contents: Content[] = [];
  const missing: string[] = [];
  for (const wish of wishes) {
    const refusal = tooMuch(own, load, parts.settings);
    if (refusal !== undefined) return refusal;
    const bytes = await contentOf(parts, own, wish);
    if (isRefusal(bytes)) return bytes;
    if (bytes === null) {
      missing.push(wish.path ?? wish.type);
      continue;
    }
    load.bytes += bytes.length;
    const hash = digest('sha256', bytes);
    artifacts.push({ type: wish.type, hash, ...(wish.path === undefined ? {} : { path: wish.path }) });
    contents.push({ hash, bytes });
  }
  if (missing.length > 0) return incomplete(own, missing, input);
  return tooMuch(own, load, parts.settings) ?? { artifacts, contents };
}

function stillPromised({ contract }: Scope, named: readonly Wish[]): Wish[] {
  const due = contract.produces.filter(({ path }) => !named.some((other) => other.path === path));
  return due.map(({ type, path }) => ({ type, path, argument: 'produces' }));
}

/** The outputs that the call names, with canonical paths. */
async function namedOutputs(parts: Parts, { artifacts = [] }: PublishInput): Promise<Wish[] | Refusal> {
  const named: Wish[] = [];
  for (const [at, { type, path: given, content }] of artifacts.entries()) {
    const argument = `artifacts[${at}]`;
    const wish = { type, argument, ...(content === undefined ? {} : { content }) };
    if (given?.startsWith(STORED)) {
      if (content !== undefined) return onlyOne(argument);
      named.push({ ...wish, stored: given.slice(STORED.length) });
      continue;
    }
    if (given === undefined && content === undefined && type !== 'diff') {
      const next = 'Give each artifact a path in the workspace, or its content; only a diff is made by itself.';
      return wrongArgument(argument, 'a path or content', 'neither', next);
    }
    const path = given === undefined ? undefined : await parts.workspace.resolve(given, 'read');
    if (isRefusal(path)) return inArgument(path, `${argument}.path`);
    named.push({ ...wish, ...(path === undefined ? {} : { path }) });
  }
  return named;
}

function onlyOne(argument: string): Refusal {
  const next = 'Leave content out to publish what is stored, or path to publish the content.';
  return wrongArgument(argument, 'the path artifact:<hash> or content', 'both', next);
}

async function contentOf(parts: Parts, own: Scope, wish: Wish): Promise<Uint8Array | null | Refusal> {
  const bytes = await givenContent(parts, own, wish);
  if (wish.type !== 'json' || bytes === null || isRefusal(bytes)) return bytes;
  return faultOfJson(bytes, wish) ?? bytes;
}

async function givenContent(parts: Parts, own: Scope, wish: Wish): Promise<Uint8Array | null | Refusal> {
  const { path, content, stored, argument } = wish;
  if (content !== undefined) return Buffer.from(content, 'utf8');
  if (stored !== undefined) {
    const found = await storedContent(parts, stored);
    return isRefusal(found) ? inArgument(found, `${argument}.path`) : found.bytes;
  }
  if (path === undefined) return ownDiff(parts, own, argument);
  const present = await presentFile(parts, path);
  return isRefusal(present) ? present : present.bytes;
}

/** What the scope has changed from its first change on. */
async function ownDiff(parts: Parts, { id }: Scope, argument: string): Promise<Uint8Array | Refusal> {
  const diff = await scopeDiff(parts, id);
  if (diff !== '') return Buffer.from(diff, 'utf8');
  const next = 'Leave the diff out, or give it content.';
  return wrongArgument(argument, `changes of ${id} to make a diff of`, 'none', next);
}

/** What says that it is JSON has to be: whoever consumes it will parse it. */
function faultOfJson(bytes: Uint8Array, { argument, path, content }: Wish): Refusal | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const place = content === undefined ? (path ?? `${argument}.path`) : `${argument}.content`;
    const got = `${quoted(text)} (${error instanceof Error ? error.message.slice(0, 200) : 'unreadable'})`;
    return wrongArgument(place, 'JSON, as its type says', got, 'Put it right, or give it another type.');
  }
}

function incomplete(own: Scope, missing: readonly string[], { scope = own.id, summary }: PublishInput): Refusal {
  const call = JSON.stringify({ scope, summary: titleFrom(summary), status: 'progress' });
  return refuse(
    'INCOMPLETE',
    `${own.id} has not produced ${missing.join(', ')}.`,
    `Write what is missing with patch, then publish again; publish_output ${call} commits what is there and keeps the locks.`,
    { scope: own.id, missing: [...missing] },
  );
}
