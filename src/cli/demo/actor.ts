import type { Client } from '@modelcontextprotocol/client';
import type { z } from 'zod';
import type { ClaimInput, PatchInput, PublishInput } from '../../coordinator/contract.js';
import {
  type Claimed,
  claimed,
  type Patched,
  patched,
  published,
  type Ran,
  ran,
  readFile,
  refused,
} from './answers.js';
import type { Board } from './board.js';
import type { Fact, Name, Remark, Report } from './messages.js';

/** How long one call may take, in milliseconds: a little more than the server keeps an unknown client waiting. */
const TIMEOUT = 50_000;

/** One scripted agent: what it does goes through its own MCP client. What goes differently than its script throws. */
export class Actor {
  constructor(
    readonly name: Name,
    private readonly client: Client,
    private readonly board: Board,
    private readonly report: (report: Report) => void,
  ) {}

  /** Claims and, if need be, waits its turn. */
  async claim(input: ClaimInput): Promise<Claimed> {
    const answer = await this.#call('claim_scope', input, claimed);
    this.expect(answer.status === 'active', `the claim of ${answer.id} should have been granted`);
    if (answer.inputs.length > 0) {
      const paths = answer.inputs.map(({ path, hash }) => path ?? hash);
      this.#remark('inputs', `gets ${paths.join(', ')}, the output of ${answer.inputs[0]?.scope}`, paths);
    }
    if (answer.handover !== undefined) {
      const lines = answer.handover.diff.split('\n').filter((line) => /^[+-](?![+-])/.test(line)).length;
      this.#remark(
        'handover',
        `takes ${answer.id} over from ${answer.handover.from} and gets the diff of what ${answer.handover.from} did (${lines} lines)`,
        [answer.handover.from],
      );
    }
    return answer;
  }

  async read(path: string): Promise<{ readonly text: string; readonly version: string }> {
    const { files } = await this.#call('read', { paths: [path] }, readFile);
    return files[0];
  }

  async patch(input: PatchInput): Promise<Patched> {
    const answer = await this.#call('patch', input, patched);
    const rebased = answer.files.filter((file) => file.rebased).map((file) => file.path);
    if (rebased.length > 0)
      this.#remark(
        'rebased',
        `made that from an older version of ${rebased.join(', ')}: rebased, both changes are in`,
        rebased,
      );
    return answer;
  }

  /** Undefined where this machine can contain no command: then signalbox runs none, and says so. */
  async run(command: string, scope: string): Promise<Ran | undefined> {
    const result = await this.client.callTool({ name: 'run', arguments: { command, scope } }, { timeout: TIMEOUT });
    if (result.isError === true && refused.parse(result.structuredContent).code === 'UNAVAILABLE') {
      this.#remark(
        'uncontained',
        `cannot run ${command}: nothing on this machine contains commands, so none is run`,
        [],
      );
      return undefined;
    }
    const answer = this.#parsed('run', result, ran);
    for (const { path, reason } of answer.rejected)
      this.#remark('rejected', `is told that the command's write to ${path} was not kept: ${firstSentence(reason)}`, [
        path,
      ]);
    return answer;
  }

  /** Runs the project's tests, which have to pass. */
  async test(scope: string): Promise<void> {
    const answer = await this.run('node --test test/*.test.js', scope);
    this.expect(answer === undefined || answer.exit_code === 0, `the tests should pass, but: ${answer?.output}`);
  }

  async publish(input: PublishInput): Promise<void> {
    const answer = await this.#call('publish_output', input, published);
    this.expect(answer.commit !== undefined, `${answer.id} should have been committed`);
  }

  /** A call that has to be refused with this code. */
  async refused(code: string, tool: string, input: object): Promise<void> {
    const result = await this.client.callTool({ name: tool, arguments: { ...input } }, { timeout: TIMEOUT });
    const got = result.isError === true ? refused.parse(result.structuredContent).code : 'done';
    this.expect(got === code, `${tool} should have been refused with ${code}, but it was ${got}`);
  }

  tell(fact: Fact, value = ''): void {
    this.report({ type: 'fact', fact, value });
  }

  hear(fact: Fact): Promise<string> {
    return this.board.hear(fact);
  }

  expect(met: boolean, otherwise: string): void {
    if (!met) throw new Error(otherwise);
  }

  #remark(about: Remark, text: string, paths: readonly string[]): void {
    this.report({ type: 'remark', about, text, paths: [...paths] });
  }

  async #call<T>(tool: string, input: object, schema: z.ZodType<T>): Promise<T> {
    return this.#parsed(
      tool,
      await this.client.callTool({ name: tool, arguments: { ...input } }, { timeout: TIMEOUT }),
      schema,
    );
  }

  #parsed<T>(tool: string, result: Awaited<ReturnType<Client['callTool']>>, schema: z.ZodType<T>): T {
    const text = result.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
    this.expect(result.isError !== true, `${tool} was refused: ${text}`);
    return schema.parse(result.structuredContent);
  }
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
