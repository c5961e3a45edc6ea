import { MAIN } from '../own-command.js';
import { Board } from './board.js';
import { type Attachment, type Era, type Fact, NAMES, type Name, type Order, type Report, report } from './messages.js';
import { type Child, endChild, type Served, startAgent } from './processes.js';

/** How each agent is attached: both transports, each with both eras of the protocol. */
const SEATS: { readonly [name in Name]: { readonly transport: 'stdio' | 'http'; readonly era: Era } } = {
  ada: { transport: 'stdio', era: 'modern' },
  ben: { transport: 'http', era: 'legacy' },
  cleo: { transport: 'stdio', era: 'legacy' },
  dan: { transport: 'http', era: 'modern' },
};

export interface Seat {
  readonly agent: Name;
  readonly transport: 'stdio' | 'http';
  readonly protocol: string;
}

export interface Remarked {
  readonly agent: Name;
  readonly remark: Extract<Report, { type: 'remark' }>;
}

interface Member {
  readonly name: Name;
  readonly child: Child;
  /** The process of its server, over stdio. */
  server?: number;
  /** Killed, or sent home: its end is no failure, and nobody waits for it. */
  mayEnd: boolean;
  finished: boolean;
}

/** The four agents, each a process of its own. What one tells is passed on to all. */
export class Troupe {
  /** The facts, for the demo itself. */
  readonly board = new Board();
  readonly #members: readonly Member[];
  readonly #seats: Seat[] = [];
  readonly #onRemark: (remarked: Remarked) => void;
  #fail: (error: Error) => void = () => undefined;
  #succeed: () => void = () => undefined;
  /** Resolves when everybody who was not killed has finished; rejects with what went differently. */
  readonly played = new Promise<void>((resolve, reject) => {
    this.#succeed = resolve;
    this.#fail = reject;
  });

  constructor(root: string, onRemark: (remarked: Remarked) => void) {
    this.#onRemark = onRemark;
    this.#members = NAMES.map((name) => ({ name, child: startAgent(root), mayEnd: false, finished: false }));
    for (const member of this.#members) this.#listen(member);
    this.played.catch(() => undefined);
  }

  get seats(): readonly Seat[] {
    return this.#seats.toSorted((a, b) => a.agent.localeCompare(b.agent));
  }

  /** Tells each its part. */
  start(root: string, served: Served): void {
    for (const { name, child } of this.#members) {
      const { transport, era } = SEATS[name];
      const attachment: Attachment =
        transport === 'stdio'
          ? { kind: 'stdio', command: process.execPath, args: [MAIN, 'mcp'], root }
          : { kind: 'http', url: served.url, tokenFile: served.tokenFile };
      send(child, { type: 'start', name, attachment, era });
    }
  }

  /** Posts a fact to everybody. */
  post(fact: Fact, value: string): void {
    this.board.post(fact, value);
    for (const { child } of this.#members) send(child, { type: 'fact', fact, value });
  }

  /** Kills an agent as the kernel would when memory runs out, and waits until its server has ended for want of a client. */
  async kill(name: Name): Promise<void> {
    const member = this.#members.find((member) => member.name === name);
    if (member === undefined) return;
    member.mayEnd = true;
    member.child.process.kill('SIGKILL');
    await member.child.gone;
  }

  async close(): Promise<void> {
    for (const member of this.#members) member.mayEnd = true;
    await Promise.all(this.#members.map(({ child, server }) => endChild(child, server)));
  }

  #listen(member: Member): void {
    const { name, child } = member;
    child.process.on('message', (message) => this.#take(member, report.parse(message)));
    child.process.on('error', (error) => this.#fail(new Error(`${name}'s process: ${error.message}`)));
    child.process.on('exit', (code, signal) => {
      if (!member.mayEnd && !member.finished)
        this.#fail(new Error(`${name}'s process ended (${signal ?? code}): ${child.said()}`));
    });
  }

  #take(member: Member, given: Report): void {
    const { name, child } = member;
    if (given.type === 'fact') this.post(given.fact, given.value);
    if (given.type === 'remark') this.#onRemark({ agent: name, remark: given });
    if (given.type === 'failed') this.#fail(new Error(`${name}: ${given.reason}\n${child.said()}`.trim()));
    if (given.type === 'attached') {
      if (given.server !== null) member.server = given.server;
      this.#seats.push({ agent: name, transport: SEATS[name].transport, protocol: given.protocol });
    }
    if (given.type === 'finished') {
      member.finished = true;
      if (this.#members.every(({ finished, mayEnd }) => finished || mayEnd)) this.#succeed();
    }
  }
}

/** Whoever is gone already does not need to hear it. */
function send({ process }: Child, order: Order): void {
  if (process.connected) process.send(order, () => undefined);
}
