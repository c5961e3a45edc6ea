/** How an agent's client is attached. */
export type Transport = 'stdio' | 'http';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface Patience {
  /** How the client's name begins. */
  readonly client: string;
  readonly patience: number;
  /** Only over this transport. */
  readonly transport?: Transport;
  /** Only where the client asked for progress, which resets its time-out. */
  readonly progress?: true;
}

/** How long one call may block before the client gives it up, in milliseconds. Measured, with a margin. */
const PATIENCE: readonly Patience[] = [
  { client: 'claude-code', transport: 'stdio', patience: 30 * MINUTE },
  { client: 'codex', patience: 240 * SECOND },
  { client: 'gemini', patience: 500 * SECOND },
  { client: 'opencode', progress: true, patience: 10 * MINUTE },
];

const OTHERS = 45 * SECOND;

/** Clients that show the model only `structuredContent` where there is any, escaped, which ruins exact matching. */
const TEXT_ONLY = ['claude-code', 'codex'];

/** How long one call of this client may block, in milliseconds. */
export function patience(client: string, transport: Transport, progress: boolean): number {
  const row = PATIENCE.find(
    (row) =>
      begins(client, row.client) &&
      (row.transport === undefined || row.transport === transport) &&
      (row.progress === undefined || progress),
  );
  return row?.patience ?? OTHERS;
}

/** Whether results for this client hold text and nothing else. */
export function textOnly(client: string): boolean {
  return TEXT_ONLY.some((name) => begins(client, name));
}

function begins(client: string, name: string): boolean {
  return client.toLowerCase().startsWith(name);
}
