import { readlinkSync } from 'node:fs';
import { type Refusal, refuse } from '../../domain/refusal.js';
import { errno } from './errno.js';
import { outside, partsOf, within } from './paths.js';
import type { Trail } from './walk.js';

const MAX_LINKS = 40;

/**
 * A canonical path → the same with its links resolved, by hand and one at a time, so that each must stay inside the
 * root. What does not exist yet is taken as it stands.
 */
export function follow(trail: Trail, path: string, roots: readonly string[]): string | Refusal {
  let done: string[] = [];
  let ahead = [...partsOf(path)];
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (done.pop() === undefined) return outside(path);
      continue;
    }
    const target = linkAt(trail, done, name);
    if (target === undefined) {
      done.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS)
      return refuse(
        'INVALID',
        `${path} leads through more than ${MAX_LINKS} links.`,
        'Pass the path of the file itself.',
        { path },
      );
    const inside = target.startsWith('/') ? within(target, roots) : target;
    if (inside === undefined) return outside(path);
    if (target.startsWith('/')) done = [];
    ahead = [...inside.split('/'), ...ahead];
  }
  return done.length === 0 ? '.' : done.join('/');
}

/** Where the link of this name leads, if it is one. */
function linkAt(trail: Trail, folder: readonly string[], name: string): string | undefined {
  const base = trail.enter(folder);
  if (typeof base !== 'string') return undefined;
  try {
    return readlinkSync(`${base}/${name}`);
  } catch (error) {
    const code = errno(error);
    if (code === 'EINVAL' || code === 'ENOENT') return undefined;
    throw error;
  }
}
