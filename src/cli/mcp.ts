import { isRefusal, type Refusal } from '../domain/refusal.js';
import { startStdio } from '../mcp/stdio.js';
import { VERSION } from './version.js';

/** `signalbox mcp`: serves one client over stdio. Answers at once; the workspace is opened with the first call. */
export function serveMcp(): void {
  const log = (sentence: string): void => void process.stderr.write(`signalbox: ${sentence}\n`);
  const opened = once(async () => {
    const { assemble, tidy } = await import('./assemble.js');
    const parent = process.ppid;
    const assembled = await assemble({ from: workspaceOf(process.env), log, alive: () => process.ppid === parent });
    if (isRefusal(assembled)) return assembled;
    void tidy(assembled);
    return assembled.available;
  });
  const provider = async () => {
    const available = await opened();
    return isRefusal(available) ? available : available();
  };
  startStdio({ provider, version: VERSION, onerror: (error) => log(String(error)) });
}

/** Claude Code names the project; elsewhere the server is started in it. */
function workspaceOf(env: NodeJS.ProcessEnv): string {
  return env.SIGNALBOX_ROOT || env.CLAUDE_PROJECT_DIR || process.cwd();
}

/** Opens once. What could not be opened is tried anew with the next call, so that a mended workspace works at once. */
function once<T>(open: () => Promise<T | Refusal>): () => Promise<T | Refusal> {
  let opened: Promise<T | Refusal> | undefined;
  return async () => {
    opened ??= open();
    const attempt = opened;
    try {
      const found = await attempt;
      if (isRefusal(found)) opened = undefined;
      return found;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
}
