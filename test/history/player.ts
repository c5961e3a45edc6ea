import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';

export function pairOf(name: string): [string, string] {
  return [`${name}/x.txt`, `${name}/y.txt`];
}

/** A change as its answer told of it. */
export interface Acknowledged {
  readonly seq: number;
  readonly files: readonly { readonly path: string; readonly version: string }[];
}

interface Connected {
  readonly agent: Agent;
  kill(): Promise<void>;
}

/** An agent that counts up two files together, over and over, and starts its server anew whenever that is killed. */
export class Player {
  readonly pair: [string, string];
  readonly acknowledged: Acknowledged[] = [];
  readonly #root: string;
  readonly #name: string;
  readonly #door: 'stdio' | 'http';
  #connected: Connected | undefined;
  /** Until then no new server is started. */
  #pause: Promise<void> = Promise.resolve();
  #scope: string | undefined;
  #stopped = false;

  constructor(root: string, name: string, door: 'stdio' | 'http') {
    this.#root = root;
    this.#name = name;
    this.#door = door;
    this.pair = pairOf(name);
  }

  /** Plays until it is stopped. Throws where something other than a killed server comes in between. */
  async play(): Promise<void> {
    while (!this.#stopped) {
      await this.#pause;
      this.#connected ??= await this.#connect();
      const connected = this.#connected;
      try {
        await this.#turn(connected.agent);
      } catch (error) {
        if (this.#connected === connected) throw error;
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Kills the server. `pause`: when a new one may be started. Returns whether there was one just now. */
  async kill(pause: Promise<void> = Promise.resolve()): Promise<boolean> {
    this.#pause = pause;
    const connected = this.#connected;
    this.#connected = undefined;
    await connected?.kill();
    return connected !== undefined;
  }

  async #connect(): Promise<Connected> {
    if (this.#door === 'stdio') {
      const agent = await stdioAgent(this.#root, this.#name);
      return {
        agent,
        kill: () => {
          agent.signal('SIGKILL');
          return agent.closed;
        },
      };
    }
    const server = await serve(this.#root);
    const agent = await httpAgent(server, this.#name);
    return {
      agent,
      kill: async () => {
        await server.stop('SIGKILL');
        // Over HTTP a client goes on waiting for the answer of a server that is gone.
        await agent.close();
      },
    };
  }

  async #turn(agent: Agent): Promise<void> {
    const { isError, text, data } = await agent.call('read', { paths: this.pair });
    if (isError) return this.#refused(agent, text);
    const [x, y] = data.files;
    if (x.text !== y.text) throw new Error(`half a patch: ${x.path} has ${x.text}, ${y.path} has ${y.text}`);
    const content = `${Number(x.text) + 1}\n`;
    const edits = [x, y].map(({ path, version: base }) => ({ path, content, base }));
    const scope = this.#scope === undefined ? {} : { scope: this.#scope };
    const answer = await agent.call('patch', { edits, ...scope });
    if (answer.isError) return this.#refused(agent, answer.text);
    this.#scope = answer.data.scope ?? this.#scope;
    const files = answer.data.files.map(({ path, version }: { path: string; version: string }) => ({ path, version }));
    this.acknowledged.push({ seq: answer.data.seq, files });
    if (this.acknowledged.length % 5 > 0) return;
    await agent.ok('publish_output', { scope: this.#scope, summary: 'Counted' });
    this.#scope = undefined;
  }

  /** What a server that was killed can leave behind: a lease that runs out, and a scope whose handle never arrived. */
  async #refused(agent: Agent, text: string): Promise<void> {
    const code = text.slice(0, text.indexOf(':'));
    if (code === 'LEASE_LOST' || code === 'UNKNOWN_SCOPE') this.#scope = undefined;
    else if (code === 'HELD') this.#scope = (await agent.ok('claim_scope', { units: this.pair })).scope;
    else if (code !== 'BUSY') throw new Error(`${this.#name}: ${text}`);
  }
}
