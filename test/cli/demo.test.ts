import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../src/cli/demo/tally.js';
import { MAIN } from '../support/agents.js';

function demo(...options: string[]): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [MAIN, 'demo', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGTERM'));
  return child;
}

/** Processes that work in a folder, or did before it was removed. */
function workingIn(folder: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(folder);
    } catch {
      return false; // It has ended meanwhile, or is a zombie.
    }
  });
}

test('promises 1, 3, 5, 7, 8 and 10, shown by four agents: nothing is lost, and each kind of thing happens', async () => {
  const child = demo('--json');
  let output = '';
  child.stdout.on('data', (text) => {
    output += String(text);
  });
  const [code] = await once(child, 'close');
  const result = JSON.parse(output) as Result;
  expect(result.failures).toEqual([]);
  expect(code).toBe(0);
  expect(result).toMatchObject({ ok: true, rebased: ['src/cart.js'], implicit_claims: expect.any(Number) });
  expect(result.checks.map(({ ok }) => ok)).toEqual(Array(7).fill(true));
  expect(result.agents.map(({ agent, transport }) => `${agent} ${transport}`)).toEqual([
    'ada stdio',
    'ben http',
    'cleo stdio',
    'dan http',
  ]);
  expect(new Set(result.agents.map(({ protocol }) => protocol)).size).toBe(2);
  expect(result.waits.map(({ agent }) => agent)).toEqual(['ben', 'cleo', 'dan']);
  expect(result.implicit_claims).toBeGreaterThan(0);
  expect(result.refusals).toMatchObject({ HELD: 1, STALE_BASE: 1 });
  expect(result.handovers).toEqual([{ scope: expect.any(String), from: 'cleo', to: 'ada' }]);
  expect(result.commits).toHaveLength(6);
  if (result.containment === 'transactional') expect(result.rejected_writes).toEqual(['src/cart.js']);
});

test('Ctrl-C in the middle ends every process and removes the folder', async () => {
  const child = demo();
  const closed = once(child, 'close');
  let folder = '';
  for await (const line of createInterface({ input: child.stdout })) {
    folder = /^The workspace is (.*?)\. /.exec(line)?.[1] ?? folder;
    if (line.includes('is killed half-way')) break;
  }
  expect(existsSync(folder)).toBe(true);
  child.kill('SIGINT');
  child.stdout.resume();
  const [code] = await closed;
  expect(code).toBe(130);
  expect(existsSync(folder)).toBe(false);
  if (process.platform === 'linux') expect(workingIn(folder)).toEqual([]);
});
