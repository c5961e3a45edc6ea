import { liveScopes } from '../../coordinator/list.js';
import type { Parts } from '../../coordinator/parts.js';
import { lost } from '../../domain/leases.js';
import type { Scope } from '../../domain/scope.js';
import { endsAwaited } from '../../domain/stopping.js';
import type { View } from '../../domain/view.js';
import { untilInterrupted } from '../interrupt.js';
import { paint, print, printJson, safe, table } from '../output.js';

interface Row {
  readonly id: string;
  readonly status: string;
  readonly agent: string;
  readonly title: string;
  readonly units: readonly string[];
  readonly waits_for: readonly string[];
}

/** Work that nobody will take up again by itself. */
interface DeadEnd {
  readonly id: string;
  readonly title: string;
  readonly attempts: number;
  readonly reason: string;
}

/** The latest so many are shown. */
const MOST_DEAD_ENDS = 10;

/** `status`: who holds what, who waits and what has failed, once or live. */
export async function status(
  parts: Parts,
  { json, watch }: { readonly json: boolean; readonly watch: boolean },
): Promise<void> {
  if (!watch) return show(parts, json);
  await untilInterrupted(async (signal) => {
    while (!signal.aborted) {
      const seq = await parts.store.view({}, ({ state }) => state.seq);
      if (!json && process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
      await show(parts, json);
      await parts.store.changed(seq, signal);
    }
  });
}

async function show(parts: Parts, json: boolean): Promise<void> {
  const { rows, seq } = await parts.store.view({}, (view) => ({ rows: rowsOf(view), seq: view.state.seq }));
  const failed = await deadEnds(parts);
  if (json) return printJson({ root: parts.workspace.root, seq, scopes: rows, failed });
  print(`${paint('bold', 'signalbox')} ${parts.workspace.root}  ${paint('dim', `event ${seq}`)}`);
  print(rows.length === 0 ? 'Nobody holds or waits for anything.' : tableOf(rows));
  if (failed.length > 0) print(`\n${tableOfDeadEnds(failed)}`);
}

async function deadEnds({ store }: Parts): Promise<DeadEnd[]> {
  const failed = await store.scopes({ status: 'failed', limit: MOST_DEAD_ENDS });
  return failed.map(({ id, contract, attempts, summary = '' }) => {
    return { id, title: contract.title, attempts, reason: summary };
  });
}

function tableOfDeadEnds(failed: readonly DeadEnd[]): string {
  const lines = failed.map(({ id, title, attempts, reason }) => [
    id,
    String(attempts),
    safe(title),
    safe(brief(reason)),
  ]);
  return table([['failed', 'attempts', 'title', 'reason'], ...lines]);
}

function brief(reason: string): string {
  const [line = ''] = reason.split('\n');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.id,
    row.status,
    safe(row.agent),
    row.units.join(' '),
    row.waits_for.join(' '),
    safe(row.title),
  ]);
  return table([['scope', 'status', 'agent', 'holds', 'waits for', 'title'], ...lines]);
}

function rowsOf(view: View): Row[] {
  return liveScopes(view).map((scope) => rowOf(view, scope));
}

function rowOf(view: View, scope: Scope): Row {
  return {
    id: scope.id,
    status: statusOf(view, scope),
    agent: scope.owner?.agent ?? scope.stopping?.from ?? '',
    title: scope.contract.title,
    units: [...scope.locks.keys()],
    waits_for: [...(scope.ticket?.units ?? []), ...scope.pending],
  };
}

function statusOf(view: View, scope: Scope): string {
  const runs = endsAwaited(view.state, scope);
  if (runs.length > 0) return `stopping (${runs.join(', ')})`;
  return lost(view, scope) === undefined ? scope.status : `${scope.status} (lost)`;
}
