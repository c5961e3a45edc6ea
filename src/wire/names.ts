/**
 * The real name that a given one was probably meant for: another spelling (`oldString`), a word of it (`file_path`),
 * its beginning (`old_str`) or a typing error (`pathes`). Undefined where nothing is near.
 */
export function nearest(given: string, names: readonly string[]): string | undefined {
  if (given.length > 64) return undefined;
  const near = names.filter((name) => isNear(given, name));
  return near.toSorted((a, b) => distance(letters(given), letters(a)) - distance(letters(given), letters(b)))[0];
}

/** That a key is none at its place, and which one was probably meant. */
export function unknownKey(place: string, key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const name = JSON.stringify(place === '' ? key : `${place}.${key}`);
  return `${name} is no key${meant === undefined ? '' : `; ${JSON.stringify(meant)} is`}`;
}

function isNear(given: string, name: string): boolean {
  const a = letters(given);
  const b = letters(name);
  if (a === b) return true;
  if (Math.min(a.length, b.length) < 4) return false;
  if (words(given).includes(b) || a.startsWith(b) || b.startsWith(a)) return true;
  return distance(a, b) <= (Math.max(a.length, b.length) > 5 ? 2 : 1);
}

function letters(name: string): string {
  return words(name).join('');
}

function words(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** How many characters to add, drop, replace or swap with their neighbour to make one of the other. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? same) + 1 : same;
      next.push(Math.min(same, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
