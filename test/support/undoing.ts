import { expect } from 'vitest';
import { type Agent, stdioAgent } from './agents.js';
import { runCli } from './cli.js';
import { newWorkspace, type TestWorkspace } from './workspace.js';

export const LINES = 'one\ntwo\nthree\nfour\nfive\n';
export const FILES = { 'src/a.txt': LINES, 'src/b.txt': 'b\n', 'src/c.txt': 'c\n' };

/** A workspace with two agents at work, and `undo` on the command line. */
export async function crew(files: { readonly [path: string]: string } = FILES) {
  const workspace = newWorkspace(files);
  const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
  return { ...workspace, ada, ben, ...undoing(workspace) };
}

function undoing({ root }: TestWorkspace) {
  const run = (...args: string[]) => runCli(['undo', ...args, '--json'], { cwd: root });
  return {
    async undo(...args: string[]) {
      const { code, out, err } = await run(...args);
      expect([code, err]).toEqual([0, '']);
      return JSON.parse(out);
    },
    async refused(code: string, ...args: string[]) {
      const ended = await run(...args);
      expect([ended.code, ended.out]).toEqual([1, '']);
      expect(ended.err).toMatch(new RegExp(`^signalbox: ${code}: `));
      return ended.err;
    },
  };
}

/** Does some edits in a scope of its own, and publishes them. */
export async function done(agent: Agent, title: string, edits: readonly object[], more: object = {}): Promise<string> {
  const { scope, id } = await agent.ok('claim_scope', { title, ...more });
  await agent.ok('patch', { scope, edits });
  await agent.ok('publish_output', { scope, summary: title });
  return id;
}

export function replace(from: string, to: string, path = 'src/a.txt'): object[] {
  return [{ path, old_string: from, new_string: to }];
}
