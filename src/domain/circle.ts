/** A place on the way, and what of its leads is still to be followed. */
interface Step<T> {
  readonly place: T;
  readonly ahead: Iterator<T>;
}

/**
 * A circle among places that lead to others, where there is one: each leads to the next, and the last to the first.
 * Follows each lead once, and without recursion: the way may be one chain of thousands.
 */
export function circleIn<T>(places: Iterable<T>, leads: (from: T) => readonly T[]): T[] | undefined {
  const seen = new Set<T>();
  for (const start of places) {
    const circle = seen.has(start) ? undefined : circleFrom(start, leads, seen);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function circleFrom<T>(start: T, leads: (from: T) => readonly T[], seen: Set<T>): T[] | undefined {
  const way: Step<T>[] = [];
  const onWay = new Set<T>();
  const go = (place: T) => {
    seen.add(place);
    onWay.add(place);
    way.push({ place, ahead: leads(place).values() });
  };
  go(start);
  for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
    const { done, value } = last.ahead.next();
    if (done) {
      onWay.delete(last.place);
      way.pop();
    } else if (onWay.has(value)) {
      const places = way.map(({ place }) => place);
      return places.slice(places.indexOf(value));
    } else if (!seen.has(value)) go(value);
  }
  return undefined;
}
