import { expect, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';

const WITHOUT_COMMITS = 'publish:\n  commit: none\n';
const FILES = ['one.txt', 'two.txt'];
const LINES = 4;

/** How an agent adds one line to a file that all others add to as well. Throws on refusals that it does not expect. */
type Append = (agent: Agent, path: string, line: string) => Promise<void>;

/** The way of the instructions: claim, read, patch, publish. */
const underClaim: Append = async (agent, path, line) => {
  let claim = await agent.ok('claim_scope', { title: `Add ${line}`, units: [path] });
  while (claim.status === 'waiting') claim = await agent.ok('claim_scope', { scope: claim.scope });
  const { files } = await agent.ok('read', { paths: [path] });
  const [{ text, version: base }] = files;
  await agent.ok('patch', { scope: claim.scope, edits: [{ path, content: `${text}${line}\n`, base }] });
  await agent.ok('publish_output', { scope: claim.scope, summary: `Added ${line}` });
};

/** The way of an agent that forgets to claim: it reads and patches, and starts over when it is refused. */
function withoutClaim(edit: (text: string, line: string, base: string) => object): Append {
  return async (agent, path, line) => {
    for (;;) {
      const { files } = await agent.ok('read', { paths: [path] });
      const [{ text, version }] = files;
      const answer = await agent.call('patch', { edits: [{ path, ...edit(text, line, version) }] });
      if (!answer.isError) return void (await agent.ok('release_scope', { scope: answer.data.scope }));
      if (!/^(HELD|STALE_BASE|NO_MATCH): /.test(answer.text)) throw new Error(`${agent.name}: ${answer.text}`);
    }
  };
}

const wholeFile = withoutClaim((text, line, base) => ({ content: `${text}${line}\n`, base }));
const replacement = withoutClaim((_text, line) => ({ old_string: 'end\n', new_string: `${line}\nend\n` }));
const replacementWithBase = withoutClaim((_text, line, base) => ({
  old_string: 'begin\n',
  new_string: `begin\n${line}\n`,
  base,
}));

test.each([
  { way: 'under claims', ways: [underClaim] },
  { way: 'without claims', ways: [wholeFile, replacement, replacementWithBase] },
])('promise 5: of eight agents that add lines to the same files $way, no line is lost', async ({ ways }) => {
  const start = 'begin\nend\n';
  const files = Object.fromEntries(FILES.map((path) => [path, start]));
  const { root, text, events } = newWorkspace({ ...files, 'signalbox.yaml': WITHOUT_COMMITS });
  const agents = await eightAgents(root);

  const added = await Promise.all(
    agents.map(async (agent, at) => {
      const append = ways[at % ways.length] ?? underClaim;
      const lines = Array.from({ length: LINES }, (_, line) => `${agent.name} ${line}`);
      for (const line of lines) for (const path of FILES) await append(agent, path, line);
      return lines;
    }),
  );

  for (const path of FILES) {
    const present = text(path)
      .split('\n')
      .filter((line) => line !== '' && line !== 'begin' && line !== 'end');
    expect(present.toSorted()).toEqual(added.flat().toSorted());
  }
  const ledger = await events();
  expect(judge(ledger).faults).toEqual([]);
  const codes = ledger.flatMap(({ body }) => (body.type === 'refused' ? [body.code] : []));
  if (ways.length > 1) expect(codes, 'they did get in each other’s way').toContain('HELD');
});

async function eightAgents(root: string): Promise<Agent[]> {
  const server = await serve(root);
  return Promise.all([
    ...['ada', 'ben', 'cleo'].map((name) => stdioAgent(root, name, 'legacy')),
    ...['dan', 'eve'].map((name) => stdioAgent(root, name, 'modern')),
    ...['finn', 'gus'].map((name) => httpAgent(server, name, 'legacy')),
    httpAgent(server, 'hal', 'modern'),
  ]);
}
