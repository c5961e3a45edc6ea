import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/cli/assemble.js';
import type { Caller } from '../../src/coordinator/contract.js';
import { keepScratch } from '../../src/coordinator/keep-scratch.js';
import type { Parts } from '../../src/coordinator/parts.js';
import { release } from '../../src/coordinator/release.js';
import { isRefusal } from '../../src/domain/refusal.js';
import type { Scope } from '../../src/domain/scope.js';
import type { ScratchPiece } from '../../src/processes/runner.js';
import { newWorkspace } from '../support/workspace.js';

const LAYER = '.signalbox/layers/R001';
const CALLER: Caller = { agent: 'ada', connection: 'c-ada', patience: 0, signal: new AbortController().signal };

interface Bench {
  readonly root: string;
  readonly parts: Parts;
  /** Claims, and gives the scope as a command that it starts would know it. */
  claim(): Promise<{ own: Scope; handle: string }>;
  keep(own: Scope): Promise<readonly { path: string; reason: string }[]>;
}

/** A server's parts, and a layer with `dist/x` in it. */
async function newBench(): Promise<Bench> {
  const { root } = newWorkspace({ '.gitignore': 'dist/\n' });
  const assembled = await assemble({ from: root, log: () => undefined });
  if (isRefusal(assembled)) throw new Error(assembled.sentence);
  const { parts, coordinator } = assembled;
  onTestFinished(() => parts.store.close());
  const piece: ScratchPiece = {
    kind: 'scratch',
    path: 'dist',
    folder: true,
    top: 'dist',
    from: `${LAYER}/upper/dist`,
    aside: `${LAYER}/aside`,
  };
  mkdirSync(dirname(join(root, `${LAYER}/upper/dist/x`)), { recursive: true });
  writeFileSync(join(root, `${LAYER}/upper/dist/x`), 'x');
  return {
    root,
    parts,
    async claim() {
      const claimed = await coordinator.claim(CALLER, { title: 't', units: ['src/'] });
      if (isRefusal(claimed)) throw new Error(claimed.sentence);
      const own = await parts.store.view({}, ({ state }) => state.scopes.get(claimed.id));
      if (own === undefined) throw new Error('the scope is not there');
      return { own, handle: claimed.scope };
    },
    keep: (own) => keepScratch(parts, CALLER, { own, held: new Set(), turn: undefined }, [piece]),
  };
}

test('promise 2: scratch is moved under a live lease', async () => {
  const bench = await newBench();
  const { own } = await bench.claim();
  expect(await bench.keep(own)).toEqual([]);
  expect(existsSync(join(bench.root, 'dist/x'))).toBe(true);
});

test('promise 2: and not when the scope has ended since the command did', async () => {
  const bench = await newBench();
  const { own, handle } = await bench.claim();
  await release(bench.parts, CALLER, { scope: handle });
  expect(await bench.keep(own)).toEqual([{ path: 'dist/', reason: expect.stringContaining(own.id) }]);
  expect(existsSync(join(bench.root, 'dist'))).toBe(false);
});
