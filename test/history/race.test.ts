import { expect, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { type Random, random } from './random.js';

const WITHOUT_COMMITS = 'publish:\n  commit: none\n';

/** Seven server processes behind eight agents: six of their own, one that two share over HTTP. */
async function eightAgents(root: string): Promise<Agent[]> {
  const stdio = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn'].map((name, at) =>
    stdioAgent(root, name, at < 4 ? 'legacy' : 'modern'),
  );
  const server = await serve(root);
  return Promise.all([...stdio, httpAgent(server, 'gus', 'legacy'), httpAgent(server, 'hal', 'modern')]);
}

test('promises 1 and 3: of eight that race for one file one gets it, and the others get it in the order of their tickets', async () => {
  const { root, text, events } = newWorkspace({ 'turn.txt': '', 'signalbox.yaml': WITHOUT_COMMITS });
  const agents = await eightAgents(root);
  const claims = await Promise.all(
    agents.map((agent) => agent.ok('claim_scope', { title: `Turn of ${agent.name}`, units: ['turn.txt'], wait_s: 0 })),
  );
  expect(claims.map(({ status }) => status).sort()).toEqual(['active', ...Array(7).fill('waiting')]);
  const places = claims.flatMap(({ queue }) => queue?.position ?? []);
  expect(places.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);

  await Promise.all(agents.map((agent, at) => takeTurn(agent, claims[at])));

  const ledger = await events();
  const asked = ledger.flatMap(({ agent, body }) => {
    const isAsked = body.type === 'scope.queued' || (body.type === 'scope.granted' && !body.queued);
    return isAsked ? [agent] : [];
  });
  expect(asked).toHaveLength(8);
  expect(text('turn.txt').split('\n')).toEqual([...asked, '']);
  expect(judge(ledger)).toMatchObject({ faults: [], grants: 8, longestQueue: 7 });
});

async function takeTurn(agent: Agent, claim: { scope: string; status: string }): Promise<void> {
  const { scope } = claim;
  for (let { status } = claim; status === 'waiting'; ) ({ status } = await agent.ok('claim_scope', { scope }));
  const { files } = await agent.ok('read', { paths: ['turn.txt'] });
  const [{ text, version }] = files;
  await agent.ok('patch', {
    scope,
    edits: [{ path: 'turn.txt', content: `${text}${agent.name}\n`, base: version }],
  });
  await agent.ok('publish_output', { scope, summary: 'Had my turn' });
}

/** Units that overlap in many ways, each with a file below it. */
const UNITS = [
  { units: ['src/a.ts'], file: 'src/a.ts' },
  { units: ['src/b.ts', 'docs/x.md'], file: 'docs/x.md' },
  { units: ['src/'], file: 'src/deep/c.sql' },
  { units: ['src/*.ts'], file: 'src/b.ts' },
  { units: ['src/**/*.sql'], file: 'src/deep/c.sql' },
  { units: ['**/*.md'], file: 'docs/x.md' },
  { units: ['docs/'], file: 'docs/y.md' },
  { units: ['./'], file: 'src/a.ts' },
] as const;

const FILES = ['src/a.ts', 'src/b.ts', 'src/deep/c.sql', 'docs/x.md', 'docs/y.md'];
/** Where these units could meet, whether there is a file or not. */
const PLACES = ['', 'src/', 'src/deep/', 'docs/'].flatMap((folder) =>
  ['ts', 'sql', 'md'].map((kind) => `${folder}new.${kind}`),
);
const ROUNDS = 6;

test('promises 1 to 4: files, folders and globs that overlap never stand locked for two, and everybody gets through', async () => {
  const files = Object.fromEntries(FILES.map((path) => [path, '0\n']));
  const { root, text, events } = newWorkspace({ ...files, 'signalbox.yaml': WITHOUT_COMMITS });
  const agents = await eightAgents(root);

  const done = await Promise.all(agents.map((agent, at) => rounds(agent, random(at + 1))));

  const verdict = judge(await events(), [...FILES, ...PLACES]);
  expect(verdict.faults).toEqual([]);
  expect(verdict.longestQueue, 'a queue was seen').toBeGreaterThanOrEqual(4);
  const counted = FILES.reduce((sum, path) => sum + Number(text(path)), 0);
  expect(counted, 'every patch that was acknowledged counts').toBe(done.reduce((sum, each) => sum + each, 0));
  expect(done.every((each) => each > 0)).toBe(true);
});

/** Claims, reads, counts up, wants more now and then, and ends. Returns how often it counted. */
async function rounds(agent: Agent, { pick, chance }: Random): Promise<number> {
  let counted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { units, file } = pick(UNITS);
    const onlyReads = chance(0.25);
    const { scope } = await granted(agent, { title: 'Count', units, mode: onlyReads ? 'read' : 'write' });
    // Whoever holds something and wants what another holds, who wants what it holds, is refused instead of waiting.
    if (chance(0.3)) await granted(agent, { scope, units: pick(UNITS).units, mode: 'read' });
    if (!onlyReads) {
      await countUp(agent, scope, file);
      counted += 1;
    }
    await agent.ok('publish_output', { scope, summary: 'Counted' });
  }
  return counted;
}

async function granted(
  agent: Agent,
  claim: { scope?: string; [argument: string]: unknown },
): Promise<{ scope: string }> {
  for (let args: object = claim; ; ) {
    const { isError, text, data } = await agent.call('claim_scope', args);
    if (isError && claim.scope !== undefined && text.startsWith('DEADLOCK: ')) return { scope: claim.scope };
    if (isError) throw new Error(`${agent.name}: ${text}`);
    if (data.status === 'active') return data;
    args = { scope: data.scope };
  }
}

async function countUp(agent: Agent, scope: string, path: string): Promise<void> {
  const { files } = await agent.ok('read', { paths: [path] });
  const [{ text, version }] = files;
  await agent.ok('patch', { scope, edits: [{ path, content: `${Number(text) + 1}\n`, base: version }] });
}
