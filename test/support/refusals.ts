import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Event } from '../../src/domain/event.js';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Agent, Answer } from './agents.js';
import type { TestWorkspace } from './workspace.js';

/** Files above this are compared by size. */
const LARGE = 1_000_000;

/** Checks calls that must be refused: the code, a sound wording, nothing written, and one event. */
export interface Watch {
  refused(agent: Agent, code: string, tool: string, args: object): Promise<Answer>;
  /** The same for one path of a `read`, which answers for each path by itself. */
  unread(agent: Agent, code: string, path: string): Promise<void>;
}

export async function watch(workspace: TestWorkspace): Promise<Watch> {
  const store = await workspace.store();
  return {
    async refused(agent, code, tool, args) {
      const { answer, happened } = await during(workspace, store, () => agent.call(tool, args));
      const row = label(tool, args);
      expect.soft({ row, code: codeOf(answer), ...happened }).toEqual({ row, code, ...once(tool, code) });
      if (answer.isError) expectSound(row, answer);
      return answer;
    },
    async unread(agent, code, path) {
      const { answer, happened } = await during(workspace, store, () => agent.call('read', { paths: [path] }));
      const row = label('read', { path });
      const error = answer.isError ? answer.text : (answer.data.files[0].error ?? 'no error');
      expect.soft({ row, code: error.split(':')[0], ...happened }).toEqual({ row, code, ...once('read', code) });
    },
  };
}

interface Happened {
  readonly refusals: readonly string[];
  readonly written: boolean;
}

function once(tool: string, code: string): Happened {
  return { refusals: [`${tool} ${code}`], written: false };
}

async function during(workspace: TestWorkspace, store: SqliteStore, call: () => Promise<Answer>) {
  const before = treeOf(workspace.root);
  const after = await store.view({}, ({ state }) => state.seq);
  const answer = await call();
  const events = await store.events({ after, limit: 1_000 });
  const written = treeOf(workspace.root) !== before || events.some(({ body }) => body.type === 'files.changed');
  return { answer, happened: { refusals: events.flatMap(refusalOf), written } };
}

function refusalOf({ body }: Event): string[] {
  return body.type === 'refused' ? [`${body.tool} ${body.code}`] : [];
}

export function codeOf({ isError, text }: Answer): string {
  return isError ? (/^([A-Z_]+): /.exec(text)?.[1] ?? 'no code') : 'accepted';
}

/** A refusal is whole in both forms, says what to do, and shows no trace of a bug. */
function expectSound(row: string, { text, data }: Answer): void {
  const { code, sentence, next, facts } = data;
  expect.soft(text.startsWith(`${code}: ${sentence}`), row).toBe(true);
  expect.soft(text.endsWith(`\nNext: ${next}`), row).toBe(true);
  expect.soft(sentence, row).toMatch(/[^.][.)]$/);
  expect.soft(next, row).toMatch(/^[A-Z`].*[.}]$/s);
  expect.soft(text, row).not.toMatch(/undefined|NaN|\[object|Error:|\n\n/);
  expect.soft(text.length, row).toBeLessThan(3_000);
  if (code === 'INVALID' && facts.argument === undefined) expect.soft(text, row).toBe('names the argument');
}

function label(tool: string, args: object): string {
  const text = JSON.stringify(args);
  return `${tool} ${text.length > 150 ? `${text.slice(0, 150)}…` : text}`;
}

/**
 * A digest of everything in a folder: names, kinds, permissions, contents. Signalbox's own state is left out, and git's
 * objects, which are nothing as long as no ref leads to them.
 */
export function treeOf(root: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const info = lstatSync(join(root, path));
    hash.update(`${path}\0${info.mode}\0`);
    if (info.isSymbolicLink()) hash.update(readlinkSync(join(root, path)));
    else if (info.isFile()) hash.update(info.size > LARGE ? String(info.size) : readFileSync(join(root, path)));
    else if (info.isDirectory())
      for (const name of readdirSync(join(root, path)).sort()) if (name !== 'objects') visit(join(path, name));
  };
  for (const name of readdirSync(root).sort()) if (name !== '.signalbox') visit(name);
  return hash.digest('hex');
}
