import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IntentId } from '../../domain/intent.js';
import { StoreBroken } from '../store.js';
import { isErrno, onDisk, reason } from './folder.js';

/**
 * The plain file that names the intent whose files are being changed.
 *
 * It is touched only under the write lock. After COMMIT the lock is gone, and somebody else may already have
 * written a marker of theirs: so a marker that is done with is left to whoever holds the lock next.
 */
export class Marker {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  write(intent: IntentId): void {
    onDisk('the marker cannot be written', () => writeFileSync(this.#path, String(intent), { mode: 0o600 }));
  }

  /** `none`: no marker. An empty or torn one was cut off before any file was changed, and names no intent. */
  read(): IntentId | 'torn' | 'none' {
    if (!existsSync(this.#path)) return 'none';
    try {
      const source = readFileSync(this.#path, 'utf8');
      return /^\d{1,15}$/.test(source) ? Number(source) : 'torn';
    } catch (cause) {
      // Without the lock, a look at the marker may come just as it is cleared.
      if (isErrno(cause, 'ENOENT')) return 'none';
      throw new StoreBroken(`the marker cannot be read: ${reason(cause)}`, { cause });
    }
  }

  clear(): void {
    onDisk('the marker cannot be removed', () => rmSync(this.#path, { force: true }));
  }
}
