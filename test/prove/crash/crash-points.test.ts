import { expect, inject, test } from 'vitest';
import type { Agent, Answer } from '../../support/agents.js';
import { report, seedOf, Tally } from '../budget.js';
import { Faulty, KINDS, type Kind } from './workspace.js';

/** Operations of one call at the most: more would mean that it never comes to its end. */
const MOST = 600;
/** What a killed publication has left is settled two seconds later: until then its scope publishes nothing. */
const MOST_TRIES = 2_000;
/** In the short form one operation in so many fails; to start a server anew takes longest. */
const STRIDE = { kill: 29, other: 9 };
/** A command needs that many times the operations of the others. */
const OF_RUN = 4;

const FILES = { 'src/a.txt': 'version 0\n', 'src/b.txt': 'version 0\n', 'src/old/0.txt': 'version 0\n' };

/** An effect that takes all files from one version to the next, or none of them. */
interface Effect {
  readonly name: string;
  /** What comes before it, without a fault. */
  begin(faulty: Faulty, version: number): Promise<void>;
  call(agent: Agent, scope: string, version: number): Promise<Answer>;
  /** The version that all of it stands at; throws where it stands between two. */
  version(faulty: Faulty, wanted: number): number | Promise<number>;
}

function versionOfFiles({ workspace }: Faulty): number {
  const [a, b] = ['src/a.txt', 'src/b.txt'].map((path) => Number(/\d+/.exec(workspace.text(path))?.[0]));
  const at = Number(a);
  expect(b).toBe(at);
  expect(workspace.text(`src/old/${at}.txt`)).toBe(`version ${at}\n`);
  for (const other of [at - 1, at + 1]) expect(() => workspace.text(`src/old/${other}.txt`)).toThrow('ENOENT');
  return at;
}

async function patchTo(agent: Agent, scope: string, version: number): Promise<Answer> {
  const [before, after] = [`version ${version - 1}`, `version ${version}`];
  const old = `src/old/${version - 1}.txt`;
  const read = await agent.call('read', { paths: [old] });
  if (read.isError) return read;
  const edits = [
    ...['src/a.txt', 'src/b.txt'].map((path) => ({ path, old_string: before, new_string: after })),
    { path: `src/old/${version}.txt`, content: `${after}\n` },
    { path: old, delete: true, base: read.data.files[0].version },
  ];
  return agent.call('patch', { scope, edits });
}

const patch: Effect = { name: 'patch', begin: async () => undefined, call: patchTo, version: versionOfFiles };

function commandTo(version: number): string {
  const [from, to] = [version - 1, version].map((at) => `src/old/${at}.txt`);
  return `for file in src/a.txt src/b.txt ${to}; do echo version ${version} > $file; done; rm -f ${from}`;
}

/** A command's write that cannot be kept is rejected by itself, and told: then it is written again. */
class Run implements Effect {
  readonly name = 'run';
  #isTold = false;

  async begin(): Promise<void> {
    this.#isTold = false;
  }

  async call(agent: Agent, scope: string, version: number): Promise<Answer> {
    const answer = await agent.call('run', { scope, command: commandTo(version) });
    this.#isTold = !answer.isError && answer.data.rejected.length > 0;
    return this.#isTold ? { ...answer, isError: true, text: `INCOMPLETE: ${answer.text}` } : answer;
  }

  async version(faulty: Faulty, wanted: number): Promise<number> {
    const ends = (await faulty.workspace.events()).flatMap(({ body }) => (body.type === 'run.ended' ? [body] : []));
    // What was rejected is on record, also where the call itself failed.
    return this.#isTold || (ends.at(-1)?.rejected ?? 0) > 0 ? wanted - 1 : versionOfFiles(faulty);
  }
}

const publish: Effect = {
  name: 'publish',
  begin: async (faulty, version) => {
    const { isError, text } = await patchTo(await faulty.agent(), await faulty.scope(), version);
    if (isError) throw new Error(text);
  },
  call: (agent, scope, version) => {
    const artifacts = [{ type: 'note', content: `${version}` }];
    return agent.call('publish_output', { scope, summary: `Version ${version}`, artifacts });
  },
  version: async ({ workspace }) => {
    const at = Number(/\d+/.exec(workspace.git('show', 'HEAD:src/a.txt'))?.[0]);
    expect(Number(/\d+/.exec(workspace.git('show', 'HEAD:src/b.txt'))?.[0])).toBe(at);
    expect(workspace.git('rev-list', '--count', 'HEAD')).toBe(`${at + 1}\n`);
    const recorded = (await workspace.events()).filter(({ body }) => body.type === 'scope.done').length;
    // A commit whose publication could not be recorded any more is put on record by the next look.
    expect([at, at - 1]).toContain(recorded);
    return recorded;
  },
};

/** Lets the 1st, 2nd, … n-th operation fail until the effect comes through untouched. */
async function failEach(effect: Effect, kind: Kind, tally: Tally): Promise<void> {
  const faulty = new Faulty(FILES);
  const short = (kind === 'kill' ? STRIDE.kill : STRIDE.other) * (effect.name === 'run' ? OF_RUN : 1);
  const stride = inject('minutes') > 0 ? 1 : short;
  let version = 0;
  for (let at = 1 + (seedOf(0) % stride); at < MOST; at += stride) {
    version += 1;
    await effect.begin(faulty, version);
    const scope = await faulty.scope();
    const { hit, answer } = await faulty.failing(kind, at, (agent) => effect.call(agent, scope, version));
    const what = `${effect.name}, ${kind} at ${at} (${hit ?? 'not reached'}): ${answer?.text ?? 'no answer'}`;
    if (answer?.isError === true) tally.count(`refused ${answer.text.slice(0, answer.text.indexOf(':'))}`);
    if (answer?.isError === false) expect(await effect.version(faulty, version), `acknowledged: ${what}`).toBe(version);
    await heal(faulty, effect, version, what);
    tally.count(`${kind} at an operation of ${effect.name}`, hit === undefined ? 0 : 1);
    if (hit === undefined) return;
  }
  throw new Error(`${effect.name} never came through`);
}

/** Somebody goes on, and everything is in order: first as the fault left it, then when the effect has come about. */
async function heal(faulty: Faulty, effect: Effect, version: number, what: string): Promise<void> {
  await (await faulty.agent()).call('list_scopes', {});
  let last = '';
  for (let tries = 0; (await effect.version(faulty, version)) !== version; tries++) {
    expect(await effect.version(faulty, version), `wholly or not at all: ${what}`).toBe(version - 1);
    if (tries === MOST_TRIES) throw new Error(`no progress after ${what}: ${last}`);
    const { isError, text } = await effect.call(await faulty.agent(), await faulty.scope(), version);
    last = text;
    if (isError && /^(LEASE_LOST|UNKNOWN_SCOPE|NOT_YOURS)/.test(text)) faulty.forgetScope();
  }
  if (effect.name === 'publish') faulty.forgetScope();
  expect(await faulty.wrong(), what).toEqual([]);
}

test.each([patch, new Run(), publish].flatMap((effect) => KINDS.map((kind) => ({ effect, kind, name: effect.name }))))(
  'promises 6, 8 and 11: $name comes about wholly or not at all where any operation fails: $kind',
  async ({ effect, kind, name }) => {
    const tally = new Tally();
    await failEach(effect, kind, tally);
    report(`crash points: ${name}, ${kind}`, tally);
  },
  3_600_000,
);
