import type { Event, EventBody } from '../../src/domain/event.js';

/** What a ledger amounts to, judged by rules that are written here once more and share no code with the product. */
export interface Verdict {
  /** One line for each broken promise. */
  readonly faults: readonly string[];
  readonly grants: number;
  /** The most tickets that waited at one time. */
  readonly longestQueue: number;
}

type Body<T extends EventBody['type']> = Extract<EventBody, { type: T }>;

interface Asked {
  readonly units: readonly string[];
  readonly mode: string;
}

interface Holding {
  readonly locks: Map<string, string>;
  generation: number;
}

/**
 * Folds the events and checks promises 1 to 3: no two overlapping locks that exclude each other, generations that only
 * grow, grants in ticket order, and every change under the lock and the generation that stood at that moment.
 *
 * @param places paths on which units may meet, besides those that events name: two units overlap where both cover one.
 */
export function judge(events: readonly Event[], places: readonly string[] = []): Verdict {
  const checker = new Checker(new Meeting([...places, ...named(events)]));
  for (const event of events) checker.see(event);
  return checker;
}

class Checker implements Verdict {
  readonly faults: string[] = [];
  grants = 0;
  longestQueue = 0;
  readonly #meeting: Meeting;
  readonly #holdings = new Map<string, Holding>();
  readonly #tickets = new Map<string, Asked & { readonly arrival: number }>();
  #seq = 0;
  #generation = 0;

  constructor(meeting: Meeting) {
    this.#meeting = meeting;
  }

  see({ seq, body }: Event): void {
    if (seq !== this.#seq + 1) this.#fault(seq, `follows ${this.#seq}`);
    this.#seq = seq;
    switch (body.type) {
      case 'scope.queued':
        this.#number(seq, body.generation);
        this.#tickets.set(body.scope, { units: body.units, mode: body.mode, arrival: seq });
        this.longestQueue = Math.max(this.longestQueue, this.#tickets.size);
        break;
      case 'scope.granted':
        this.#granted(seq, body);
        break;
      case 'scope.lapsed':
        this.#tickets.delete(body.scope);
        if (body.to !== 'active') this.#holdings.delete(body.scope);
        break;
      case 'scope.expired':
      case 'scope.released':
      case 'scope.done':
      case 'scope.failed':
        this.#tickets.delete(body.scope);
        this.#holdings.delete(body.scope);
        break;
      case 'files.changed':
        this.#changed(seq, body);
        break;
    }
  }

  #granted(seq: number, body: Body<'scope.granted'>): void {
    this.grants += 1;
    this.#number(seq, body.generation);
    const { scope } = body;
    for (const [other, { locks }] of this.#holdings) {
      for (const [unit, mode] of other === scope ? [] : locks) {
        if (this.#meeting.conflict(body, { units: [unit], mode })) {
          this.#fault(seq, `promise 1: ${scope} gets ${body.units} while ${other} holds ${unit}`);
        }
      }
    }
    this.#assertTurn(seq, body);
    const holding = this.#holdings.get(scope) ?? { locks: new Map(), generation: 0 };
    for (const unit of body.units) {
      holding.locks.set(unit, holding.locks.get(unit) === 'write' ? 'write' : body.mode);
    }
    holding.generation = body.generation;
    this.#holdings.set(scope, holding);
    if (body.queued) this.#tickets.delete(scope);
  }

  /** Nobody who came earlier may still wait for any of it, unless that one waits for the grantee itself. */
  #assertTurn(seq: number, body: Body<'scope.granted'>): void {
    const { scope } = body;
    const own = body.queued ? this.#tickets.get(scope) : undefined;
    if (body.queued && own?.units.join() !== body.units.join()) this.#fault(seq, `${scope} had no ticket for this`);
    const held = [...(this.#holdings.get(scope)?.locks ?? [])];
    for (const [other, ticket] of this.#tickets) {
      if (other === scope || ticket.arrival > (own?.arrival ?? seq)) continue;
      const waitsForGrantee = held.some(([unit, mode]) => this.#meeting.conflict(ticket, { units: [unit], mode }));
      if (!waitsForGrantee && this.#meeting.conflict(body, ticket)) {
        this.#fault(seq, `promise 3: ${scope} overtakes ${other}, whose ticket is of ${ticket.arrival}`);
      }
    }
  }

  #changed(seq: number, { scope, files, generation }: Body<'files.changed'>): void {
    const holding = this.#holdings.get(scope);
    if (holding?.generation !== generation) {
      this.#fault(seq, `promise 2: ${scope} changes files under ${generation}, and has ${holding?.generation}`);
    }
    const writable = [...(holding?.locks ?? [])].filter(([, mode]) => mode === 'write').map(([unit]) => unit);
    for (const { path } of files) {
      if (!writable.some((unit) => this.#meeting.covers(unit, path))) {
        this.#fault(seq, `promise 1: ${scope} changes ${path} without a lock on it`);
      }
    }
  }

  #number(seq: number, generation: number): void {
    if (generation <= this.#generation) this.#fault(seq, `promise 2: generation ${generation} is not new`);
    this.#generation = generation;
  }

  #fault(seq: number, what: string): void {
    this.faults.push(`event ${seq}: ${what}`);
  }
}

/** Which units overlap, found by trying paths. What it calls an overlap surely is one. */
class Meeting {
  readonly #places: readonly string[];
  readonly #covered = new Map<string, ReadonlySet<string>>();

  constructor(places: readonly string[]) {
    this.#places = [...new Set(places)];
  }

  conflict(a: Asked, b: Asked): boolean {
    return (a.mode === 'write' || b.mode === 'write') && a.units.some((x) => b.units.some((y) => this.#overlap(x, y)));
  }

  covers(unit: string, path: string): boolean {
    return this.#coveredBy(unit).has(path);
  }

  #overlap(a: string, b: string): boolean {
    return a === b || [...this.#coveredBy(a)].some((path) => this.covers(b, path));
  }

  #coveredBy(unit: string): ReadonlySet<string> {
    const known = this.#covered.get(unit);
    if (known !== undefined) return known;
    const pattern = patternOf(unit);
    const found = new Set(this.#places.filter((path) => pattern.test(path)));
    this.#covered.set(unit, found);
    return found;
  }
}

/** `src/a.ts`, `src/`, `./`, and globs of `*` and `**`: that is all that these tests use. */
function patternOf(unit: string): RegExp {
  const glob = unit === './' ? '**' : unit.endsWith('/') ? `${unit}**` : unit;
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('**', '\x01')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?')
    .replaceAll('\x01', '.*');
  return new RegExp(`^${source}$`);
}

function named(events: readonly Event[]): string[] {
  return events.flatMap(({ body }) => {
    if (body.type === 'files.changed') return body.files.map(({ path }) => path);
    return 'units' in body ? body.units.filter((unit) => !unit.includes('*') && !unit.endsWith('/')) : [];
  });
}
