const USUAL = 100;
const MOST = 500;

/** How many items a page has. */
export function pageSize(asked = USUAL): number {
  return Math.min(Math.max(1, asked), MOST);
}

/** Cuts a list in which one more than a page was asked for: that one only tells that there are more. */
export function paged<T extends { readonly id: string }>(
  found: readonly T[],
  size: number,
): { readonly items: readonly T[]; readonly next?: string } {
  const items = found.slice(0, size);
  const last = items.at(-1);
  return found.length > size && last !== undefined ? { items, next: last.id } : { items };
}
