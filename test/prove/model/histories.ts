import fc from 'fast-check';
import type { Tally } from '../budget.js';
import type { Mode, Who } from './lock-table.js';
import { LockTable, type Scope } from './lock-table.js';
import { FILES, UNITS, type Units } from './places.js';
import { Rules } from './rules.js';

/** Numbers are taken modulo what there is to choose from, so that every list of steps makes a history. */
export type Step =
  | {
      readonly do: 'claim';
      readonly who: number;
      readonly units: Units;
      readonly mode: Mode;
      readonly priority: number;
    }
  | { readonly do: 'more'; readonly which: number; readonly units: Units; readonly mode: Mode }
  | { readonly do: 'ask' | 'release' | 'publish' | 'stale'; readonly which: number }
  | { readonly do: 'take'; readonly who: number; readonly which: number }
  | { readonly do: 'write'; readonly which: number; readonly path: string }
  | { readonly do: 'leave'; readonly who: number }
  | { readonly do: 'pass'; readonly ms: number; readonly beating: readonly number[]; readonly asking: boolean };

/** Two share a connection, one has none. */
const CREW: readonly Who[] = [
  { agent: 'alice', connection: 'c1' },
  { agent: 'bob', connection: 'c2' },
  { agent: 'carol', connection: 'c3' },
  { agent: 'parent', connection: 'c4' },
  { agent: 'child', connection: 'c4' },
  { agent: 'http', connection: undefined },
];
const TIMES = [1, 10_000, 59_999, 60_000, 60_001, 120_000, 120_001, 300_000, 600_001, 1_800_001];

const nat = fc.nat(60);
const units = fc.uniqueArray(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 3 });
const mode = fc.constantFrom<Mode>('write', 'write', 'read');
const priority = fc.constantFrom(0, 0, 0, -1, 1, 2);
const beating = fc.oneof(fc.constant([0, 1, 2, 3, 4, 5]), fc.array(nat, { maxLength: 4 }));
const only = <T extends Step['do']>(name: T) => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: only('claim'), who: nat, units, mode, priority }) },
  { weight: 3, arbitrary: fc.record({ do: only('more'), which: nat, units, mode }) },
  { weight: 2, arbitrary: fc.record({ do: only('ask'), which: nat }) },
  { weight: 2, arbitrary: fc.record({ do: only('take'), who: nat, which: nat }) },
  { weight: 3, arbitrary: fc.record({ do: only('write'), which: nat, path: fc.constantFrom(...FILES) }) },
  { weight: 2, arbitrary: fc.record({ do: only('release'), which: nat }) },
  { weight: 2, arbitrary: fc.record({ do: only('publish'), which: nat }) },
  { weight: 1, arbitrary: fc.record({ do: only('stale'), which: nat }) },
  { weight: 1, arbitrary: fc.record({ do: only('leave'), who: nat }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: only('pass'), ms: fc.constantFrom(...TIMES), beating, asking: fc.boolean() }),
  },
);

/** Steps of a history at the most. */
export const LONGEST = 60;
export const histories: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: LONGEST, size: 'max' });

/** Plays a history on the model and on the rules, and throws at the first answer or state in which they differ. */
export class Match {
  readonly #model = new LockTable();
  readonly #rules = new Rules();
  readonly #tally: Tally;
  /** Handles of ownerships that are over. */
  readonly #stale: { readonly id: string; readonly handle: string }[] = [];
  readonly #handles = new Map<string, string>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  play(steps: readonly Step[]): void {
    for (const [at, each] of steps.entries()) {
      const [expected, got] = this.#step(each);
      this.#tally.count('steps');
      const told = `step ${at} ${JSON.stringify(each)}`;
      if (expected !== undefined)
        this.#tally.count(expected.is === 'refused' ? `refused ${expected.code}` : `${each.do} ${expected.is}`);
      same(expected, got, `${told}: answer`);
      same(this.#expectedState(), this.#foundState(), `${told}: state`);
      this.#noteHandles();
    }
  }

  #step(each: Step): readonly [LockAnswer, LockAnswer] {
    const model = this.#model;
    const rules = this.#rules;
    switch (each.do) {
      case 'claim': {
        const who = crew(each.who);
        const { units, mode, priority } = each;
        return [model.claim(who, units, mode, priority), rules.claim(who, units, mode, priority)];
      }
      case 'more':
        return this.#withOwned(each.which, (who, id, handle) => [
          model.claimAgain(who, id, each.units, each.mode),
          rules.claimAgain(who, id, each.units, each.mode, handle),
        ]);
      case 'ask':
        return this.#withOwned(each.which, (who, id, handle) => [
          model.claimAgain(who, id, [], 'write'),
          rules.claimAgain(who, id, [], 'write', handle),
        ]);
      case 'take': {
        const scope = pick(
          model.scopes.filter(({ status }) => status === 'open'),
          each.which,
        );
        if (scope === undefined) return NOTHING;
        const who = crew(each.who);
        return [model.claimAgain(who, scope.id, [], 'write'), rules.claimAgain(who, scope.id, [], 'write', undefined)];
      }
      case 'write':
        return this.#withOwned(each.which, (who, id, handle) => [
          model.write(who, id, each.path),
          rules.write(who, handle, each.path),
        ]);
      case 'release':
        return this.#withOwned(each.which, (who, id, handle) => [model.release(who, id), rules.release(who, handle)]);
      case 'publish':
        return this.#withOwned(
          each.which,
          (who, id, handle) => [model.publish(who, id), rules.publish(who, handle)],
          ({ status }) => status === 'active',
        );
      case 'stale': {
        const old = pick(this.#stale, each.which);
        if (old === undefined) return NOTHING;
        return [model.stale(crew(0), old.id), rules.write(crew(0), old.handle, 'a.ts')];
      }
      case 'leave':
        model.leave(crew(each.who));
        rules.leave(crew(each.who));
        return NOTHING;
      case 'pass': {
        const beating = each.beating.map(crew);
        model.pass(each.ms, beating, each.asking);
        rules.pass(each.ms, beating, each.asking);
        return NOTHING;
      }
    }
  }

  #withOwned(
    which: number,
    use: (who: Who, id: string, handle: string) => readonly [LockAnswer, LockAnswer],
    fits: (scope: Scope) => boolean = () => true,
  ): readonly [LockAnswer, LockAnswer] {
    const scope = pick(
      this.#model.scopes.filter((each) => each.owner !== undefined && fits(each)),
      which,
    );
    if (scope?.owner === undefined) return NOTHING;
    return use(scope.owner, scope.id, this.#rules.handle(scope.id));
  }

  /** A new handle for the same scope means that a former ownership is over; so does none. */
  #noteHandles(): void {
    for (const [id, handle] of this.#handles) {
      const owned = this.#model.scope(id).owner !== undefined;
      if (owned && this.#rules.handle(id) === handle) continue;
      this.#stale.push({ id, handle });
      this.#handles.delete(id);
    }
    for (const { id, owner } of this.#model.scopes)
      if (owner !== undefined) this.#handles.set(id, this.#rules.handle(id));
  }

  #expectedState(): unknown {
    const live = this.#model.scopes.filter(({ status }) => status !== 'ended');
    for (const { ticket } of live) if (ticket !== undefined) this.#tally.count('queued');
    return live.map(({ id, status, owner, locks, ticket, attempts }) =>
      line(id, status, owner?.agent, [...locks], ticket?.units, ticket?.mode, attempts),
    );
  }

  #foundState(): unknown {
    return [...this.#rules.state.scopes.values()]
      .sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
      .map(({ id, status, owner, locks, ticket, attempts }) => {
        const held = [...locks.values()].map(({ unit, mode: as }): [string, string] => [unit, as]);
        return line(id, status, owner?.agent, held, ticket?.units, ticket?.mode, attempts);
      });
  }
}

type LockAnswer = ReturnType<LockTable['claim']> | undefined;

const NOTHING: readonly [LockAnswer, LockAnswer] = [undefined, undefined];

function line(
  id: string,
  status: string,
  agent: string | undefined,
  locks: readonly [string, string][],
  waits: readonly string[] | undefined,
  as: string | undefined,
  attempts: number,
): string {
  const held = locks.map(([unit, how]) => `${unit}:${how}`).sort();
  const ticket = waits === undefined ? '' : ` waits ${[...waits].sort().join()} ${as}`;
  return `${id} ${status} ${agent ?? '-'} [${held.join()}]${ticket} attempts ${attempts}`;
}

function same(expected: unknown, got: unknown, what: string): void {
  const [model, rules] = [JSON.stringify(expected), JSON.stringify(got)];
  if (model !== rules) throw new Error(`${what}\n  model: ${model}\n  rules: ${rules}`);
}

function crew(who: number): Who {
  const found = CREW[who % CREW.length];
  if (found === undefined) throw new Error('there is no crew');
  return found;
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % from.length];
}
