import { type Refusal, refuse } from '../../domain/refusal.js';

/** The system's name for what went wrong (`ENOENT`), or nothing where the error is not the system's. */
export function errno(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a call on the disk → its result, or undefined where what it names is not there. */
export function ifThere<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The same for a call that is under way. */
export async function ifStillThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the disk denies a second name, or another one, to a file: of another owner, immutable, on a disk without links. */
export function isDenied(error: unknown): boolean {
  return ['EPERM', 'EACCES', 'EROFS', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(errno(error) ?? '');
}

/** What the disk's own "no" means to an agent; undefined where the error is not of that kind, but a fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  switch (errno(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return refuse('BLOCKED', 'The disk denies access there.', 'Ask the person to change the permissions.');
    case 'ENOSPC':
    case 'EDQUOT':
      return refuse('UNAVAILABLE', 'The disk is full.', 'Ask the person to free some space, then call again.');
    case 'ENAMETOOLONG':
      return refuse('INVALID', 'The disk does not take so long a name.', 'Choose a shorter one.');
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
      // What was there a moment ago is not.
      return refuse('BUSY', 'A folder on the way is being replaced right now.', 'Call again.');
    default:
      return undefined;
  }
}
