import { unavailable } from '../coordinator/unavailable.js';
import { isRefusal } from '../domain/refusal.js';
import { StoreBroken, StoreBusy } from '../store/store.js';
import { type Assembled, assemble } from './assemble.js';
import { fail } from './output.js';

/** Opens the workspace for one command and closes it after. What is wrong with it ends the command with its reason. */
export async function withWorkspace(from: string, work: (assembled: Assembled) => Promise<void>): Promise<void> {
  const assembled = await assemble({ from, log: (sentence) => process.stderr.write(`signalbox: ${sentence}\n`) });
  if (isRefusal(assembled)) return fail(assembled);
  try {
    await work(assembled);
  } catch (error) {
    if (!(error instanceof StoreBusy || error instanceof StoreBroken)) throw error;
    fail(unavailable(error));
  } finally {
    await assembled.coordinator.close();
  }
}
