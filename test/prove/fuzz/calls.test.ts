import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { type Agent, type Answer, httpAgent, serve, stdioAgent } from '../../support/agents.js';
import { newWorkspace } from '../../support/workspace.js';
import { report, rounds, seedOf, Tally } from '../budget.js';
import { wildCalls } from './calls.js';

const CALLS = { short: 300, long: 1_000 };
const CODE =
  /^(HELD|WAITING|NOT_CLAIMED|STALE_BASE|NO_MATCH|LEASE_LOST|DEADLOCK|OUTSIDE|PROTECTED|NOT_FOUND|BINARY|UNKNOWN_SCOPE|NOT_YOURS|BLOCKED|INCOMPLETE|LIMIT|INVALID|DENIED): /;

/** What no tool may change, whatever it is told. */
function untouchable(root: string): string[] {
  return ['../outside/secret', '.git/config', 'signalbox.yaml', '.mcp.json', '.claude', 'pwned'].map((path) =>
    join(root, path),
  );
}

function stateOf(paths: readonly string[]): string[] {
  return paths.map((path) =>
    existsSync(path)
      ? createHash('sha256')
          .update(path.endsWith('.claude') ? '' : readFileSync(path))
          .digest('hex')
      : 'none',
  );
}

async function play(agent: Agent, root: string, seed: number, tally: Tally): Promise<void> {
  const before = stateOf(untouchable(root));
  const numRuns = inject('minutes') === 0 ? CALLS.short : CALLS.long;
  for (const { tool, args } of fc.sample(wildCalls, { seed, numRuns })) {
    const what = `seed ${seed}: ${tool} ${JSON.stringify(args)}`;
    const answer = await agent.call(tool, args).catch((error: unknown): Answer => {
      throw new Error(`${what}: ${String(error)}`);
    });
    tally.count('calls');
    if (answer.isError) {
      expect(answer.text, what).toMatch(CODE);
      tally.count(`refused ${answer.text.slice(0, answer.text.indexOf(':'))}`);
    } else tally.count(`done ${tool}`);
    expect(stateOf(untouchable(root)), what).toEqual(before);
  }
}

test.each(['stdio', 'http'] as const)(
  'promises 9, 11 and 12: whatever is called over %s is answered, and nothing is touched that must not be',
  async (door) => {
    const tally = new Tally();
    for (const round of rounds(0.04)) {
      const { root, git } = newWorkspace({
        'work/src/a.txt': 'one\ntwo\n',
        'work/src/b.txt': 'b\n',
        'outside/secret': 'secret\n',
      });
      const work = join(root, 'work');
      writeFileSync(join(work, 'signalbox.yaml'), 'processes:\n  build:\n    match: ["make*"]\n');
      mkdirSync(dirname(join(work, 'link')), { recursive: true });
      symlinkSync('../outside', join(work, 'link'));
      git('init', '--quiet', 'work');
      const agent =
        door === 'stdio' ? await stdioAgent(work, 'wild') : await httpAgent(await serve(work), 'wild', 'modern');
      await play(agent, work, seedOf(round), tally);
      await agent.ok('list_scopes', {});
      await agent.close();
    }
    expect(
      tally.missing([
        'done read',
        'done claim_scope',
        'done patch',
        'refused OUTSIDE',
        'refused PROTECTED',
        'refused INVALID',
      ]),
    ).toEqual([]);
    report(`wild calls over ${door}`, tally);
  },
  3_600_000,
);
