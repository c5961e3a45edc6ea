import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Program } from './programs.js';

/** A real MCP client, the same for both programs. */
export interface Client {
  readonly pid: number;
  /** Calls a tool. → its structured content. Throws where it fails or is refused. */
  call(tool: string, args: object): Promise<{ readonly [name: string]: unknown }>;
  close(): Promise<void>;
}

export async function attach(program: Program, root: string, name = 'bench'): Promise<Client> {
  const args = program.command(root);
  const transport = new StdioClientTransport({ command: process.execPath, args, cwd: root, stderr: 'ignore' });
  const client = new LegacyClient({ name, version: '1.0.0' });
  await client.connect(transport);
  return {
    pid: transport.pid ?? 0,
    async call(tool, given) {
      const result = await client.callTool({ name: tool, arguments: { ...given } }, undefined, { timeout: 120_000 });
      if (result.isError === true) throw new Error(`${name}: ${tool} failed: ${JSON.stringify(result.content)}`);
      return Object.fromEntries(Object.entries(result.structuredContent ?? {}));
    },
    close: () => client.close(),
  };
}

/** A text that a tool answered, or an error. */
export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected text, got ${JSON.stringify(value)}`);
  return value;
}
