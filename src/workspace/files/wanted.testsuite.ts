import { createHash } from 'node:crypto';
import { isRefusal } from '../../domain/refusal.js';
import type { Prepared, Wanted, Workspace } from '../workspace.js';

export function hash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A path that shall hold `next` instead of `former`; null: no file. */
export function edit(path: string, former: string | null, next: string | null, mode?: number): Wanted {
  return {
    path,
    base: former === null ? null : hash(former),
    bytes: next === null ? null : Buffer.from(next),
    ...(mode === undefined ? {} : { mode }),
  };
}

/** Throws on a refusal. */
export async function preparedIn(workspace: Workspace, wanted: readonly Wanted[]): Promise<Prepared> {
  const answer = await workspace.prepare(wanted);
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}
