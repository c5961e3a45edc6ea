import { spawn } from 'node:child_process';
import { TRUSTED_PATH } from './script.js';

/** Ends what it watches when it has heard nothing for `$2` seconds, or when the server is gone. */
const WATCH = 'while read -r -t "$2"; do :; done; kill -9 -- "$1"';
const BEATS = 4;

/**
 * Ends a command whose server shows no life for half a lease, because it was stopped or hangs: a command that writes
 * directly must be dead before its scope's units can be granted to somebody else. `target` is a process or, negative, a
 * group. Returns how to call the watch off, to be called when the command has ended.
 */
export function watch(target: number, lease: number): () => void {
  const patience = Math.max(1, Math.floor(lease / 2_000));
  const child = spawn('bash', ['-c', WATCH, 'signalbox', String(target), String(patience)], {
    env: { PATH: TRUSTED_PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  const beat = setInterval(() => child.stdin.write('\n'), (patience * 1_000) / BEATS);
  beat.unref();
  child.unref();
  return () => {
    clearInterval(beat);
    child.kill('SIGKILL');
  };
}
