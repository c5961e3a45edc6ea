import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Agent, MAIN, stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { have } from '../support/tools.js';
import { newWorkspace } from '../support/workspace.js';

const NOBODY = 65_534;
const [program, ...words] = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const;
const canBeNobody = have(program, ...words, process.execPath, MAIN, '--version');

const FILES = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n', 'd.txt': 'd\n' };

/** A repository of `nobody`, with an agent of his, and with two files of somebody else, who lets others read them. */
async function shared() {
  const workspace = newWorkspace(FILES);
  const { root } = workspace;
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, root]);
  for (const path of ['b.txt', 'c.txt']) chownSync(join(root, path), 0, 0);
  const ada = await stdioAgent(root, 'ada', 'legacy', { HOME: root }, [program, ...words]);
  await ada.ok('open_scope', { title: 'Whatever makes him own the state' });
  return { ...workspace, ada };
}

async function base(agent: Agent, path: string): Promise<string> {
  return (await agent.ok('read', { paths: [path] })).files[0].version;
}

const swap = (path: string) => ({ path, old_string: path[0], new_string: 'new' });

test.skipIf(!canBeNobody)(
  'promises 6 and 11: a file that the disk does not let be replaced is a refusal that names it, and the rest is put back',
  async () => {
    const workspace = await shared();
    const { ada, text } = workspace;
    const { refused } = await watch(workspace);
    const no = await refused(ada, 'BLOCKED', 'patch', { edits: [swap('a.txt'), swap('b.txt'), swap('d.txt')] });
    expect(no.data.facts).toMatchObject({ argument: 'edits[1].path', path: 'b.txt' });
    // What was moved aside is of the other owner too, so that it can have no second name on its way back.
    const gone = { path: 'c.txt', delete: true, base: await base(ada, 'c.txt') };
    await refused(ada, 'BLOCKED', 'patch', { edits: [gone, swap('b.txt')] });
    for (const [path, content] of Object.entries(FILES)) expect(text(path)).toBe(content);
    await ada.ok('patch', { edits: [swap('a.txt'), gone] });
    expect(text('a.txt')).toBe('new\n');
  },
);
