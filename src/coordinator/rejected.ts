import type { RunOutput } from './contract.js';

type Rejected = RunOutput['rejected'][number];

/** So many are told one by one. */
export const SHOWN = 20;
/** Of those with the same reason, so many more are named. */
const NAMED = 2;
/** Of the whole list, in characters. */
const LONGEST = 1024 * 1024;

/** At most twenty; where there are more, one for each reason, which says what else it is the reason of. */
export function grouped(all: readonly Rejected[]): readonly Rejected[] {
  if (all.length <= SHOWN) return all;
  return [...byReason(all).values()].slice(0, SHOWN).flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    return others.length === 0 ? [first] : [{ path: first.path, reason: `${first.reason} (${theSame(others)})` }];
  });
}

/** The whole list as text: each reason with its paths; cut where it is very long. */
export function wholeList(all: readonly Rejected[]): string {
  const lines: string[] = [];
  let length = 0;
  let left = all.length;
  for (const [reason, some] of byReason(all)) {
    for (const line of [reason, ...some.map(({ path }) => `  ${path}`)]) {
      length += line.length + 1;
      if (length > LONGEST) return `${[...lines, `${left} more`].join('\n')}\n`;
      lines.push(line);
      if (line !== reason) left -= 1;
    }
  }
  return `${lines.join('\n')}\n`;
}

/** As everybody may read it: with a handle, anybody could act for its scope. */
export function withoutHandles(text: string): string {
  return text.replace(/\b(S\d{3,12})-[a-z2-7]{6}\b/g, '$1');
}

/** A reason may name its path: without it, it is the same for all. */
function byReason(all: readonly Rejected[]): ReadonlyMap<string, readonly Rejected[]> {
  const groups = new Map<string, Rejected[]>();
  for (const each of all) {
    const reason = each.reason.replaceAll(each.path, '…');
    const group = groups.get(reason);
    if (group === undefined) groups.set(reason, [each]);
    else group.push(each);
  }
  return groups;
}

function theSame(others: readonly Rejected[]): string {
  const names = others.slice(0, NAMED).map(({ path }) => (/\p{C}/u.test(path) ? JSON.stringify(path) : path));
  const more = others.length - names.length;
  return `the same: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
