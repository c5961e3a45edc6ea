import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Draft } from '../domain/draft.js';
import type { EventBody, FileChange } from '../domain/event.js';
import { failureOf, hasFailed } from '../domain/failure.js';
import type { OpenRun } from '../domain/open-runs.js';
import { raise } from '../domain/raise.js';
import { isRefusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import { endRun } from '../domain/stopping.js';
import type { Ended, Log } from '../processes/runner.js';
import { difference } from '../workspace/text/difference.js';
import type { Caller, RunOutput } from './contract.js';
import { bytesOf } from './history.js';
import { act, type Parts } from './parts.js';
import { processOf } from './process-unit.js';
import { grouped, SHOWN, wholeList, withoutHandles } from './rejected.js';
import type { RunChanges } from './run-commit.js';

/** A diff is kept up to this many bytes, and compares contents of no more than this together. */
const LARGEST_DIFF = 1024 * 1024;
const MOST_COMPARED = 32 * 1024 * 1024;

/** The artifacts of a run: what it printed, what it changed, and what was rejected where that is much. */
export interface Kept {
  readonly log?: Hash;
  readonly diff?: Hash;
  readonly rejections?: Hash;
  readonly cut?: NonNullable<Log['cut']>;
  /** Bytes printed. */
  readonly total: number;
}

/** A run whose processes are dead, and whose changes are committed. */
export interface Over {
  readonly run: string;
  readonly ended: Pick<Ended, 'ending' | 'exit'>;
  /** Bytes that it printed. */
  readonly total: number;
  readonly log: Log;
  readonly rejected: RunChanges['rejected'];
  /** On which tree it has succeeded, where it is a check. */
  readonly tree?: string | undefined;
}

/** Keeps what a run printed and changed as artifacts, and puts its end on record with them. */
export async function putEndOnRecord(parts: Parts, caller: Caller, over: Over): Promise<Kept & ToldRejections> {
  const log = content(over.log.bytes);
  const diff = content(Buffer.from(await diffOf(parts, over.run)));
  const many = over.rejected.length > SHOWN;
  const rejections = content(Buffer.from(many ? withoutHandles(wholeList(over.rejected)) : ''));
  await parts.store.keep([log, diff, rejections].filter((kept) => kept !== undefined));
  const kept: Kept = {
    ...(log === undefined ? {} : { log: log.hash }),
    ...(diff === undefined ? {} : { diff: diff.hash }),
    ...(rejections === undefined ? {} : { rejections: rejections.hash }),
    ...(over.log.cut === undefined ? {} : { cut: over.log.cut }),
    total: over.total,
  };
  const told = toldRejections(grouped(over.rejected), over.rejected.length);
  await act(parts, caller, 'run', {}, (draft) => {
    const open = draft.view.state.runs.get(over.run);
    endRun(draft, endedEvent(over, told.rejected, kept));
    if (open !== undefined) raiseFailure(parts, draft, open, over);
    return { answer: undefined };
  });
  return { ...kept, ...told };
}

export type ToldRejections = Pick<RunOutput, 'rejected' | 'more_rejected'>;

export function toldRejections(shown: RunOutput['rejected'], all: number): ToldRejections {
  return { rejected: shown, ...(all > shown.length ? { more_rejected: all - shown.length } : {}) };
}

/** Where its process says so, a command that fails is work for whoever mends what it found. */
function raiseFailure(parts: Parts, draft: Draft, { command, scope }: OpenRun, { run, ended, log }: Over): void {
  const named = processOf(parts, command);
  if (named?.onFailure !== 'open_scope' || !hasFailed(ended)) return;
  const output = Buffer.from(log.bytes).toString('utf8');
  const of = { run, process: named.name, command, ...ended, output, ...(scope === undefined ? {} : { scope }) };
  const raised = raise(draft, failureOf(of));
  if (isRefusal(raised)) parts.log(`no scope was opened for ${run}: ${raised.sentence}`);
}

function endedEvent(
  { run, ended, rejected, tree }: Over,
  shown: RunOutput['rejected'],
  { total, ...kept }: Kept,
): Parameters<typeof endRun>[1] {
  const { ending, exit } = ended;
  const open = shown.map(({ path, reason }) => ({ path, reason: withoutHandles(reason) }));
  const refused = open.length === 0 ? {} : { refused: open };
  const on = tree === undefined ? {} : { tree };
  return { run, ending, exit, output: total, rejected: rejected.length, ...refused, ...on, ...kept };
}

function content(bytes: Uint8Array): { readonly hash: Hash; readonly bytes: Uint8Array } | undefined {
  return bytes.length === 0 ? undefined : { hash: createHash('sha256').update(bytes).digest('hex'), bytes };
}

/** What a run committed, as one unified diff; of what is too large for it, one line. */
async function diffOf(parts: Parts, run: string): Promise<string> {
  const changed = await parts.store.view({}, ({ state }) => state.runs.get(run)?.changed);
  const files = changed === undefined ? [] : await filesChangedAt(parts, changed);
  let text = '';
  let compared = 0;
  for (const file of files) {
    let part: string | undefined;
    if (compared <= MOST_COMPARED && text.length <= LARGEST_DIFF) {
      const before = await bytesOf(parts, file.before);
      const after = await bytesOf(parts, file.after);
      compared += (before?.length ?? 0) + (after?.length ?? 0);
      part = compared <= MOST_COMPARED ? difference(before, after, { path: file.path }) : undefined;
    }
    text += part !== undefined && text.length + part.length <= LARGEST_DIFF ? part : leftOut(file);
    await setImmediate();
  }
  return text;
}

function leftOut({ path, before, after }: FileChange): string {
  const versions = [before, after].map((hash) => (hash === null ? 'none' : `artifact:${hash.slice(0, 10)}`));
  return `# ${path}: too large to be shown here, ${versions.join(' → ')}\n`;
}

/** The files of the event with which something was committed. */
async function filesChangedAt(parts: Parts, seq: number): Promise<readonly FileChange[]> {
  const [event] = await parts.store.events({ after: seq - 1, until: seq, limit: 1 });
  return event?.body.type === 'files.changed' ? event.body.files : [];
}

/** What the event with which a run was committed changed. */
export async function changedAt(parts: Parts, seq: number): Promise<RunOutput['changed']> {
  return (await filesChangedAt(parts, seq)).map(({ path, after }) => ({ path, version: after }));
}

/** What the event of its end says of a run. */
export async function endingOf(
  parts: Parts,
  seq: number,
): Promise<{ readonly wall: number; readonly body: Extract<EventBody, { type: 'run.ended' }> } | undefined> {
  const [event] = await parts.store.events({ after: seq - 1, until: seq, limit: 1 });
  return event?.body.type === 'run.ended' ? { wall: event.wall, body: event.body } : undefined;
}
