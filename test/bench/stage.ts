import { type ChildProcess, fork, type Serializable, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Assembled, assemble } from '../../src/cli/assemble.js';
import { isRefusal } from '../../src/domain/refusal.js';
import { attach, type Client } from './client.js';
import { type Files, OURS, type Program, THEIRS } from './programs.js';

/** A process of the benchmark itself, which speaks in messages. */
export interface Helper {
  send(message: Serializable): void;
  /** The next message that nobody has had yet. Rejects when the process ends. */
  next(): Promise<unknown>;
}

/** Where a measurement takes place: its folders and processes, all of which go when it is over. */
export class Stage {
  readonly #undo: (() => void | Promise<void>)[] = [];
  readonly #children = new Set<ChildProcess>();
  #clearing: Promise<void> | undefined;

  /** A temporary folder with these files, which is a workspace for both programs. */
  folder(files: Files = {}): string {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-bench-')));
    this.#undo.push(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
    mkdirSync(join(root, '.signalbox'), { mode: 0o700 });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  }

  ours(root: string): Promise<Client> {
    return this.#attach(OURS, root);
  }

  theirs(root: string): Promise<Client> {
    return this.#attach(THEIRS, root);
  }

  /** The rooms of Signalbox put together in this process. */
  async inProcess(root: string): Promise<Assembled> {
    const log = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
    const assembled = await assemble({ from: root, log });
    if (isRefusal(assembled)) throw new Error(assembled.sentence);
    this.#undo.push(() => assembled.coordinator.close());
    return assembled;
  }

  /** Starts a server and leaves the talking to the caller. */
  start(
    { command }: Program,
    root: string,
  ): ChildProcess & { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream } {
    const child = spawn(process.execPath, command(root), { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#keep(child);
    return child;
  }

  /** Runs a file of this folder as a process of its own. */
  helper(file: string, ...args: string[]): Helper {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args);
    this.#keep(child);
    return speaking(child, file);
  }

  /** Ends all processes, by id, and removes all folders; the last first. Once, however often it is asked for. */
  clear(): Promise<void> {
    this.#clearing ??= this.#undoAll();
    return this.#clearing;
  }

  /** The same for processes only, at once: this one is about to end. */
  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #undoAll(): Promise<void> {
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`clearing up: ${String(error)}\n`);
      }
    }
  }

  async #attach(program: Program, root: string): Promise<Client> {
    const client = await attach(program, root);
    this.#undo.push(() => client.close());
    return client;
  }

  #keep(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    this.#undo.push(() => ended(child));
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function speaking(child: ChildProcess, file: string): Helper {
  const said: unknown[] = [];
  let heard: (() => void) | undefined;
  let over = false;
  child.on('message', (message) => {
    said.push(message);
    heard?.();
  });
  child.once('exit', () => {
    over = true;
    heard?.();
  });
  return {
    send: (message) => void child.send(message),
    async next() {
      while (said.length === 0) {
        if (over) throw new Error(`${file} ended too early`);
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
      return said.shift();
    },
  };
}
