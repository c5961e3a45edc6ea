import type {
  Caller,
  ClaimInput,
  ClaimOutput,
  Coordinator,
  ListOutput,
  OpenInput,
  OpenOutput,
  PatchInput,
  PatchOutput,
  PublishInput,
  PublishOutput,
  ReadInput,
  ReadOutput,
  ReleaseOutput,
  RunInput,
  RunOutput,
} from '../coordinator/contract.js';
import { isStateless } from '../domain/leases.js';
import { type Refusal, refuse } from '../domain/refusal.js';

/** A workspace of a few files in memory, for tests of the doors. It tells all that reaches it, in order. */
export class ToyWorkspace implements Coordinator {
  readonly files = new Map([['a.txt', 'one\ntwo\n']]);
  readonly #tell: (line: string) => void;
  #holder: { readonly id: string; readonly connection: string; readonly title: string } | undefined;
  #scopes = 0;
  #seq = 0;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  async read(caller: Caller, { paths }: ReadInput): Promise<ReadOutput> {
    this.#called('read', caller);
    return { files: paths.map((path) => this.#look(path)) };
  }

  #look(path: string): ReadOutput['files'][number] {
    if (path === 'dot.png')
      return { path, version: this.#version(path), image: { data: 'AAAA', mimeType: 'image/png' } };
    const text = this.files.get(path);
    if (text === undefined) return { path, error: 'NOT_FOUND: there is no such file' };
    const total_lines = text.split('\n').length - 1;
    return { path, version: this.#version(text), text, from: 1, to: total_lines, total_lines };
  }

  async patch(caller: Caller, { edits = [] }: PatchInput): Promise<PatchOutput | Refusal> {
    this.#called('patch', caller);
    if (this.#holder !== undefined && this.#holder.connection !== caller.connection) return this.#held();
    for (const { path, content = '' } of edits) this.files.set(path, content);
    const files = edits.map(({ path, content = '' }) => ({
      path,
      version: this.#version(content),
      added: 1,
      removed: 0,
    }));
    return { seq: ++this.#seq, files };
  }

  /** `await` says what it waits for and ends when it is given up; `break` is a bug. */
  async run(caller: Caller, { command = '' }: RunInput): Promise<RunOutput> {
    this.#called('run', caller);
    if (command === 'break') throw new Error('the toy broke');
    if (command === 'await') await this.#givenUp(caller);
    return {
      run: 'R1',
      state: 'exited',
      exit_code: 0,
      output: command,
      changed: [],
      rejected: [],
      containment: 'none',
      duration_ms: 5,
    };
  }

  #givenUp({ signal, progress }: Caller): Promise<void> {
    progress?.('waits for the end of the test');
    this.#tell('waiting');
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.#tell('given up');
        resolve();
      });
    });
  }

  async claim(caller: Caller, { title = '', units = [] }: ClaimInput): Promise<ClaimOutput | Refusal> {
    this.#called('claim', caller);
    if (this.#holder !== undefined) return this.#held();
    const id = `S00${++this.#scopes}`;
    this.#holder = { id, connection: caller.connection, title };
    return { scope: `${id}-secret`, id, status: 'active', generation: this.#scopes, units };
  }

  async publish(caller: Caller, { summary }: PublishInput): Promise<PublishOutput | Refusal> {
    this.#called('publish', caller);
    const holder = this.#holder;
    if (holder === undefined) return refuse('UNKNOWN_SCOPE', 'You own no scope.', 'Claim one.');
    this.#holder = undefined;
    return { id: holder.id, status: 'done', commit: summary, artifacts: [], unblocked: [] };
  }

  async open(caller: Caller, { title }: OpenInput): Promise<OpenOutput> {
    this.#called('open', caller);
    return { id: `S-${title}` };
  }

  async release(caller: Caller): Promise<ReleaseOutput> {
    this.#called('release', caller);
    const id = this.#holder?.id ?? 'none';
    this.#holder = undefined;
    return { id, status: 'open', reverted: [] };
  }

  async list(caller: Caller): Promise<ListOutput> {
    this.#called('list', caller);
    return { scopes: [], seq: this.#seq };
  }

  async refused(_caller: Caller, tool: string, refusal: Refusal): Promise<void> {
    this.#tell(`refused ${tool} ${refusal.code}`);
  }

  async connected(): Promise<void> {
    this.#tell('connected');
  }

  async disconnected(): Promise<void> {
    this.#tell('disconnected');
  }

  async close(): Promise<void> {
    this.#tell('closed');
  }

  #called(verb: string, { agent, connection, patience }: Caller): void {
    const kind = isStateless(connection) ? connection : 'connected';
    this.#tell(`${verb} by ${agent}, ${kind}, ${patience / 1_000} s`);
  }

  #held(): Refusal {
    const holder = this.#holder;
    const held_by = holder === undefined ? 'nobody' : `${holder.id} "${holder.title}"`;
    return refuse('HELD', 'Another agent works there.', 'Wait for it.', { held_by });
  }

  #version(text: string): string {
    return Buffer.from(text).toString('hex').padEnd(64, '0').slice(-64);
  }
}
