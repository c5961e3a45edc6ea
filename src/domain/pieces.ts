/** An immutable list in order, cut into pieces: a change copies one of them and the list of pieces. None is empty. */
export type Pieces<T> = readonly (readonly T[])[];

/** Negative where the first comes first; 0 only for an item and itself. */
export type Order<T> = (a: T, b: T) => number;

/** Items of one piece: a copy of so many takes less than a microsecond. */
const MOST = 128;

/** Adds an item that is not there yet. */
export function withItem<T>(pieces: Pieces<T>, item: T, order: Order<T>): Pieces<T> {
  const at = pieceOf(pieces, item, order);
  const piece = pieces[at] ?? [];
  const grown = piece.toSpliced(piece.findLastIndex((other) => order(other, item) < 0) + 1, 0, item);
  return pieces.toSpliced(at, 1, ...(grown.length > MOST ? halves(grown) : [grown]));
}

/** Takes an item out that is there. */
export function withoutItem<T>(pieces: Pieces<T>, item: T, order: Order<T>): Pieces<T> {
  const at = pieceOf(pieces, item, order);
  const left = pieces.slice(at, at + 1).map((piece) => piece.filter((other) => order(other, item) !== 0));
  return pieces.toSpliced(at, 1, ...left.filter(({ length }) => length > 0));
}

/** Whether one list has nothing that another one has not. Quickly told where the one was made from the other. */
export function isWithin<T>(some: Pieces<T>, all: Pieces<T>): boolean {
  const kept = new Set(all);
  const fresh = some.filter((piece) => !kept.has(piece));
  if (fresh.length === 0) return true;
  const shared = new Set(some);
  const left = new Set(all.filter((piece) => !shared.has(piece)).flat());
  return fresh.every((piece) => piece.every((item) => left.has(item)));
}

/** The last piece that does not begin behind the item. */
function pieceOf<T>(pieces: Pieces<T>, item: T, order: Order<T>): number {
  const at = pieces.findLastIndex((piece) => piece.slice(0, 1).every((first) => order(first, item) <= 0));
  return Math.max(at, 0);
}

function halves<T>(items: readonly T[]): (readonly T[])[] {
  const half = items.length / 2;
  return [items.slice(0, half), items.slice(half)];
}
