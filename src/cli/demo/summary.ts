import { fileURLToPath } from 'node:url';
import { paint, table } from '../output.js';
import { ownCommand, shellLine } from '../own-command.js';
import type { Check } from './checks.js';
import { painted } from './narrator.js';
import { LEASE } from './shop.js';
import type { Facts, Result } from './tally.js';

export function introduction(root: string): string {
  return [
    paint('bold', 'Four agents build a shop together, in one working tree.'),
    `Each is an MCP client in a process of its own: ${painted('ada')} and ${painted('cleo')} over stdio, ${painted('ben')} and ${painted('dan')} over HTTP.`,
    `The workspace is ${root}. There, locks outlive their connection by ${LEASE} s instead of a minute.`,
    '',
  ].join('\n');
}

/** What happened, as a table, and what was checked. */
export function summary(result: Result): string {
  return [
    '',
    paint('bold', 'What happened'),
    table([['', '', ''], ...rows(result)]).trimStart(),
    '',
    paint('bold', 'Checked afterwards, from the ledger, the files and git'),
    ...result.checks.map(checkLine),
    '',
    verdict(result),
  ].join('\n');
}

function rows(facts: Facts): string[][] {
  const refusals = Object.entries(facts.refusals).map(([code, count]) => `${count} ${code}`);
  const waits = facts.waits.map((wait) => `${wait.agent} ${seconds(wait.ms)}`);
  return [
    [
      'claims granted',
      String(facts.claims),
      facts.implicit_claims > 0 ? `${facts.implicit_claims} files claimed by writing to them` : '',
    ],
    ['waits in the queue', String(facts.waits.length), waits.join(', ')],
    [
      'patches',
      String(facts.patches),
      facts.rebased.length > 0 ? `${facts.rebased.length} rebased: ${facts.rebased.join(', ')}` : '',
    ],
    ['refusals', String(sum(Object.values(facts.refusals))), refusals.join(', ')],
    [
      "command's writes rejected",
      String(facts.rejected_writes.length),
      facts.containment === 'none'
        ? 'this machine can contain no commands, so none was run'
        : `${facts.rejected_writes.join(', ')} (containment: ${facts.containment})`,
    ],
    [
      'conflicts prevented',
      String(facts.conflicts_prevented),
      'writes to what another agent held, or had changed since',
    ],
    [
      'hand-overs',
      String(facts.handovers.length),
      facts.handovers.map(({ scope, from, to }) => `${scope} from ${from} to ${to}`).join(', '),
    ],
    [
      'commits',
      String(facts.commits.length),
      facts.commits.map(({ scope, agent }) => `${scope} by ${agent}`).join(', '),
    ],
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function checkLine({ name, ok, detail }: Check): string {
  const mark = ok ? paint('green', 'ok ') : paint('red', 'NO ');
  return `  ${mark}  ${name}: ${detail}`;
}

function verdict({ ok, failures, took_ms }: Result): string {
  if (ok) return paint('green', `No update was lost. It took ${seconds(took_ms)}.`);
  return [
    paint('red', `This went differently than it should have (after ${seconds(took_ms)}):`),
    ...failures.map((failure) => `  ${failure}`),
  ].join('\n');
}

/** How to attach a real agent to this very signalbox. */
export function attachLines(): string {
  const [command, ...args] = ownCommand();
  const line = shellLine([command, ...args, 'mcp']);
  const entry = JSON.stringify({ mcpServers: { signalbox: { command, args: [...args, 'mcp'] } } });
  return [
    paint('bold', 'Attach a real agent: in the repository that it works on'),
    `  Claude Code  ${paint('cyan', `claude mcp add signalbox -- ${line}`)}`,
    `  Codex        ${paint('cyan', `codex mcp add signalbox -- ${line}`)}`,
    `  any other    ${paint('cyan', entry)}`,
    `  over HTTP    ${paint('cyan', shellLine([command, ...args, 'serve']))}, which prints the address and where the token is`,
    `Ready files for each client, with what takes its own writing tools away: ${fileURLToPath(new URL('../../../examples/clients', import.meta.url))}`,
  ].join('\n');
}
