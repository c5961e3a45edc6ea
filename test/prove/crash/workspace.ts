import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openDriver } from '../../../src/store/sqlite/driver.js';
import { until } from '../../history/moments.js';
import { type Agent, type Answer, stdioAgent } from '../../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../../support/workspace.js';

export type Kind = 'kill' | 'ENOSPC' | 'EIO' | 'BUSY' | 'after';
export const KINDS: readonly Kind[] = ['kill', 'ENOSPC', 'EIO', 'BUSY', 'after'];

const FAULTS = new URL('faults.mjs', import.meta.url).href;

/** A repository whose server fails where it is told to. */
export class Faulty {
  readonly workspace: TestWorkspace;
  readonly #control: string;
  #agent: Agent | undefined;
  #scope: string | undefined;

  constructor(files: { readonly [path: string]: string }) {
    this.workspace = newWorkspace({ ...files, 'signalbox.yaml': 'lease_seconds: 6\n' });
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-faults-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    this.#control = join(folder, 'control');
  }

  /**
   * The agent, on a new server where the last one was killed. What it loads for its first calls is loaded: a module that
   * Node could not read once, it does not read again in the same process.
   */
  async agent(): Promise<Agent> {
    if (this.#agent !== undefined) return this.#agent;
    const agent = await stdioAgent(this.workspace.root, 'ada', 'legacy', {
      NODE_OPTIONS: `--import=${FAULTS}`,
      FAULT_CONTROL: this.#control,
    });
    await agent.ok('run', { command: 'true' });
    this.#agent = agent;
    return agent;
  }

  /** The handle of a scope that holds all files; where a killed server left them locked, once its lease has ended. */
  async scope(): Promise<string> {
    this.#scope ??= (await (await this.agent()).ok('claim_scope', { title: 'All of it', units: ['src/'] })).scope;
    return this.#scope ?? '';
  }

  forgetScope(): void {
    this.#scope = undefined;
  }

  /**
   * Lets the server's `at`-th operation of a call fail. → what failed, undefined where the call needed fewer; and what was
   * answered, undefined where the server is dead.
   */
  async failing(
    kind: Kind,
    at: number,
    call: (agent: Agent) => Promise<Answer>,
  ): Promise<{ readonly hit: string | undefined; readonly answer: Answer | undefined }> {
    const agent = await this.agent();
    await this.#arm(agent, kind, at);
    const answer = await call(agent).catch((error: unknown) => {
      if (kind === 'kill') return undefined;
      throw error;
    });
    // What comes after the answer is no part of the call any more.
    await this.#arm(agent, kind, 0);
    const hit = existsSync(`${this.#control}.hit`) ? readFileSync(`${this.#control}.hit`, 'utf8') : undefined;
    rmSync(`${this.#control}.hit`, { force: true });
    if (hit !== undefined && kind === 'kill') {
      await agent.closed;
      this.#agent = undefined;
    }
    return { hit, answer };
  }

  /** Resolves when the server has taken note, or is dead. */
  async #arm(agent: Agent, kind: Kind, at: number): Promise<void> {
    rmSync(`${this.#control}.armed`, { force: true });
    writeFileSync(this.#control, JSON.stringify({ at, kind }));
    if (existsSync(`${this.#control}.hit`)) return;
    agent.signal('SIGUSR2');
    await until(() => existsSync(`${this.#control}.armed`) || existsSync(`${this.#control}.hit`));
  }

  /** What holds after every fault, once somebody has looked: → one line for each thing that does not. */
  async wrong(): Promise<string[]> {
    const { root } = this.workspace;
    const wrong: string[] = [];
    await this.workspace.verify().catch((error: Error) => wrong.push(error.message));
    const driver = openDriver(join(root, '.signalbox/signalbox.db'));
    try {
      const integrity = driver.prepare('PRAGMA integrity_check').all();
      if (JSON.stringify(integrity) !== '[{"integrity_check":"ok"}]') wrong.push(JSON.stringify(integrity));
      for (const { path, hash } of driver.prepare('SELECT path, hash FROM files').all()) {
        const now = hashAt(join(root, String(path)));
        if (now !== hash) wrong.push(`${String(path)} is ${now}, and ${String(hash)} on record`);
      }
    } finally {
      driver.close();
    }
    return wrong;
  }
}

function hashAt(path: string): string | null {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : null;
}
