import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { CONFIG_FILE, type Config, loadConfig } from './config.js';

/**
 * The configuration of a server that runs. The file is looked at before each decision, so that servers that were started
 * before and after an edit decide alike; it is read only where it is another one.
 */
export class Following {
  readonly #root: string;
  readonly #apply: (config: Config) => void;
  #stamp: string;
  #reading: Promise<void> | undefined;
  #fault: Refusal | undefined;

  /**
   * @param stamp of the file when it was read first.
   * @param apply brings what was read into force, at one blow.
   */
  constructor(root: string, stamp: string, apply: (config: Config) => void) {
    this.#root = root;
    this.#stamp = stamp;
    this.#apply = apply;
  }

  /** What is wrong with the file; until it is put right, what it said before stays in force. */
  get fault(): Refusal | undefined {
    return this.#fault;
  }

  /** Undefined where nothing has changed: then nothing is waited for. */
  refresh(): Promise<void> | undefined {
    const stamp = configStamp(this.#root);
    if (stamp === this.#stamp) return this.#reading;
    this.#stamp = stamp;
    const reading = (this.#reading ?? Promise.resolve()).then(() => this.#read());
    this.#reading = reading;
    void reading.finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    return reading;
  }

  async #read(): Promise<void> {
    const config = await loadConfig(this.#root);
    this.#fault = isRefusal(config) ? config : undefined;
    if (!isRefusal(config)) this.#apply(config);
  }
}

/** Tells one state of the file from another. Taken before it is read: an edit meanwhile is seen the next time. */
export function configStamp(root: string): string {
  const stat = statOf(join(root, CONFIG_FILE));
  return stat === undefined ? 'none' : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // What keeps it from being looked at keeps it from being read, which says so.
    return undefined;
  }
}
