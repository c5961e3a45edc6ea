import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Refusal } from '../domain/refusal.js';
import type { Containment, RunSpec, Written } from './runner.js';

/** One way of running a command. Another builder (bubblewrap, Seatbelt) is another value of this. */
export interface Sandbox {
  readonly level: Containment;
  /** What a run left whose server is gone; undefined where nothing is left of it, or nothing can be told. */
  recover(id: string): Promise<Recovered | undefined>;
  /** Starts a command, with every guard up before its first instruction; refuses UNAVAILABLE where one does not hold. */
  launch(spec: RunSpec, begins: Begins): Promise<Launched | Refusal>;
}

/** Told directly before a command's first instruction what it can be killed by: a process or, negative, a group. */
export type Begins = (target: number) => void;

export type Recovered = Pick<Launched, 'written' | 'dispose'>;

/** A command that was started. */
export interface Launched {
  /** The command's exit status, as a shell gives it; where processes are contained, none of them outlives it. */
  readonly exited: Promise<number>;
  /** What the command prints, standard output and error in one. */
  readonly output: Readable;
  /** SIGTERM to each process of the command, or SIGKILL so that none is left. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  written(): Promise<readonly Written[]>;
  dispose(): Promise<void>;
}

/** The shell that reads commands, as an argument list. */
export function shell(command: string, bash: boolean): readonly string[] {
  return [bash ? 'bash' : 'sh', '-c', command];
}

/** To be called before anything is awaited after the start, so that the end is not missed. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
