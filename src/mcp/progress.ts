const INTERVAL = 5_000;

/**
 * What a waiting caller hears: at most one notification per interval, each with a higher number, none after `stop`.
 * The last sentence is repeated, because some clients give a call up that stays silent.
 */
export class Progress {
  readonly #send: (progress: number, sentence: string) => void;
  readonly #timer: NodeJS.Timeout;
  #count = 0;
  #sentence = 'working';
  #quiet = true;

  constructor(send: (progress: number, sentence: string) => void) {
    this.#send = send;
    this.#timer = setInterval(() => this.#tell(), INTERVAL);
  }

  /** The first sentence goes out at once, a later one with the next notification. */
  say(sentence: string): void {
    this.#sentence = sentence;
    if (!this.#quiet) return;
    this.#timer.refresh();
    this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#quiet = false;
  }

  #tell(): void {
    this.#quiet = false;
    this.#send(++this.#count, this.#sentence);
  }
}
