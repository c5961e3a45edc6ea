import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import type { ArtifactRecord, ArtifactsInput, ControlPlane } from '../../coordinator/control-plane-contract.js';
import type { Parts } from '../../coordinator/parts.js';
import { unknownScope } from '../../domain/authority.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { knownScope } from '../known-scope.js';
import { fail, print, printJson, safe, safeLines, shortHash, table } from '../output.js';
import { person } from '../person.js';

const PAGE = 500;

export type ArtifactFilter = Pick<ArtifactsInput, 'scope' | 'type' | 'path'>;

/** `artifacts`: what was published and kept, oldest first, with where it comes from. */
export async function artifacts(
  { parts, plane }: { readonly parts: Parts; readonly plane: ControlPlane },
  filter: ArtifactFilter,
  json: boolean,
): Promise<void> {
  const wanted = await canonical(parts, filter);
  if (isRefusal(wanted)) return fail(wanted);
  const found: ArtifactRecord[] = [];
  for (let input: ArtifactsInput | undefined = { ...wanted, limit: PAGE }; input !== undefined; ) {
    const page = await plane.artifacts(person(), input);
    if (isRefusal(page)) return fail(page);
    found.push(...page.artifacts);
    input = page.next === undefined ? undefined : { ...input, cursor: page.next };
  }
  if (json) return printJson({ artifacts: found });
  if (found.length === 0) return print('No artifacts.');
  const head = ['id', 'scope', 'agent', 'type', 'path', 'hash', 'run', 'commit', 'superseded by'];
  print(table([head, ...found.map(cells)]));
}

async function canonical(parts: Parts, { scope, type, path }: ArtifactFilter): Promise<ArtifactFilter | Refusal> {
  const id = scope === undefined ? undefined : await knownScope(parts, scope);
  if (scope !== undefined && id === undefined) return unknownScope(scope);
  const known = path === undefined ? undefined : await parts.workspace.resolve(path, 'read');
  if (isRefusal(known)) return known;
  return {
    ...(id === undefined ? {} : { scope: id }),
    ...(type === undefined ? {} : { type }),
    ...(known === undefined ? {} : { path: known }),
  };
}

function cells({
  id,
  scope,
  agent,
  type,
  path,
  hash,
  run,
  commit,
  superseded_by: successor,
}: ArtifactRecord): string[] {
  return [
    id,
    scope,
    safe(agent),
    safe(type),
    safe(path ?? ''),
    shortHash(hash),
    run ?? '',
    commit === undefined ? '' : shortHash(commit),
    successor ?? '',
  ];
}

/** `artifacts <hash>`: what is stored under it, as it is; to a terminal only what it can show. */
export async function content(
  plane: ControlPlane,
  given: string,
  { output, json }: { readonly output: string | undefined; readonly json: boolean },
): Promise<void> {
  const stored = await plane.content(person(), given.replace(/^artifact:/, ''));
  if (isRefusal(stored)) return fail(stored);
  const { hash, bytes } = stored;
  if (output !== undefined) return save(output, bytes, json);
  const isText = isUtf8(bytes) && !bytes.includes(0);
  const buffer = Buffer.from(bytes);
  if (json)
    return printJson({
      hash,
      size: bytes.length,
      ...(isText ? { text: buffer.toString() } : { base64: buffer.toString('base64') }),
    });
  if (!process.stdout.isTTY) return void process.stdout.write(buffer);
  if (!isText) return fail(unshowable(hash, bytes.length));
  process.stdout.write(safeLines(buffer.toString()));
}

function unshowable(hash: string, size: number): Refusal {
  const sentence = `artifact:${hash} has ${size} bytes that are not text: a terminal cannot show them.`;
  return refuse('BINARY', sentence, 'Save it with --output <file>, or send it to a program.', { size });
}

function save(path: string, bytes: Uint8Array, json: boolean): void {
  const refused = written(path, bytes);
  if (refused !== undefined) fail(refused);
  else if (json) printJson({ size: bytes.length, path });
  else print(`${bytes.length} bytes are in ${safe(path)}.`);
}

/** Never over a file that is there. */
function written(path: string, bytes: Uint8Array): Refusal | undefined {
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
    return undefined;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'is there already' : String(error);
    return refuse('INVALID', `${path}: ${reason}; nothing was written.`, 'Name another file.', { path });
  }
}
