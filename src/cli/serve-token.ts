import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The bearer token of `serve`: made with the first start, readable by this user only, and the same ever after. */
export function serveToken(root: string): { readonly token: string; readonly path: string } {
  const path = join(root, '.signalbox', 'token');
  try {
    writeFileSync(path, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(path, 0o600);
  const token = readFileSync(path, 'utf8').trim();
  if (token.length < 32) throw new Error(`${path} holds no token: remove it and start again`);
  return { token, path };
}
