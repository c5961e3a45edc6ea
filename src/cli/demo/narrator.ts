import type { Event, EventBody } from '../../domain/event.js';
import { paint, safe } from '../output.js';
import { claimedByWriting } from './history.js';

const COLORS: { readonly [name: string]: 'cyan' | 'yellow' | 'green' | 'magenta' } = {
  ada: 'cyan',
  ben: 'yellow',
  cleo: 'magenta',
  dan: 'green',
};

type Body<T extends EventBody['type']> = Extract<EventBody, { type: T }>;

/** One thing that happened, in plain words. */
export interface Line {
  readonly agent: string;
  readonly text: string;
  readonly wall: number;
}

/** Turns the events of the ledger, in order, into lines that a person reads. */
export class Narrator {
  readonly #holders = new Map<string, { readonly scope: string; readonly agent: string }>();
  readonly #titles = new Map<
    string,
    { readonly agent: string; readonly title: string; readonly pending: readonly string[] }
  >();
  readonly #queues = new Map<
    string,
    { readonly agent: string; readonly units: readonly string[]; readonly wall: number }
  >();

  /** Undefined for what only matters to programs. */
  tell(event: Event, next: Event | undefined): Line | undefined {
    const line = this.#line(event, claimedByWriting(event, next).length > 0);
    this.#note(event);
    return line === undefined ? undefined : { ...line, wall: event.wall };
  }

  #line({ agent, body, wall }: Event, byWriting: boolean): { agent: string; text: string } | undefined {
    switch (body.type) {
      case 'scope.queued':
        // A scope whose inputs have come queues once more, for its units.
        return isProcess(body.units) || this.#queues.has(body.scope)
          ? undefined
          : { agent: body.owner.agent, text: this.#waits(body) };
      case 'scope.granted':
        return isProcess(body.units)
          ? undefined
          : {
              agent: body.owner.agent,
              text: byWriting
                ? `claims ${body.units.join(', ')} by writing to it, since nobody held it (${body.scope})`
                : this.#granted(body, wall),
            };
      case 'scope.expired':
        return {
          agent: body.from,
          text: `has lost ${body.scope}: ${body.reason}. The scope is open again, with the work done so far`,
        };
      case 'scope.done':
        return {
          agent,
          text: `publishes ${body.scope}: commit ${body.commit?.slice(0, 8) ?? 'none'}, "${safe(body.summary)}"`,
        };
      case 'files.changed':
        return {
          agent,
          text: `${body.cause === 'run' ? 'keeps what the command wrote to' : 'patches'} ${body.files.map(({ path }) => path).join(', ')}`,
        };
      case 'files.outside':
        return { agent, text: `edits around signalbox: ${body.files.map(({ path }) => path).join(', ')}` };
      case 'run.started':
        return { agent, text: `runs ${safe(body.command)}` };
      case 'run.ended':
        return {
          agent,
          text: `has run it: ${body.exit === null ? body.ending : `exit code ${body.exit}`}${body.rejected > 0 ? `, ${paint('red', `${body.rejected} of its writes rejected`)}` : ''}`,
        };
      case 'refused':
        return { agent, text: `is refused: ${paint('red', body.code)}, ${safe(body.sentence)}` };
      default:
        return undefined;
    }
  }

  #waits({ scope, units }: Body<'scope.queued'>): string {
    const awaited = (this.#titles.get(scope)?.pending ?? []).map(
      (id) => `${id} (${this.#titles.get(id)?.agent ?? 'somebody'})`,
    );
    if (awaited.length > 0) return `waits for the output of ${awaited.join(', ')}, then for ${units.join(', ')}`;
    const held = units.filter((unit) => this.#holders.has(unit));
    const holders = new Set(held.map((unit) => this.#holders.get(unit)?.agent));
    const ahead = [...this.#queues.values()]
      .filter((other) => other.units.some((unit) => units.includes(unit)))
      .map((other) => other.agent);
    return `waits for ${held.join(', ')}, held by ${[...holders].join(' and ')}${ahead.length > 0 ? `, behind ${ahead.join(', ')}` : ''}`;
  }

  #granted({ scope, units, queued }: Body<'scope.granted'>, wall: number): string {
    const since = this.#queues.get(scope)?.wall;
    if (queued && since !== undefined)
      return `gets ${units.join(', ')} (${scope}) after ${((wall - since) / 1000).toFixed(1)} s`;
    return `claims ${units.join(', ')} (${scope}, "${safe(this.#titles.get(scope)?.title ?? '')}")`;
  }

  #note({ body, wall }: Event): void {
    if (body.type === 'scope.opened')
      this.#titles.set(body.scope, { agent: body.by, title: body.contract.title, pending: body.pending });
    if (body.type === 'scope.queued' && !this.#queues.has(body.scope))
      this.#queues.set(body.scope, { agent: body.owner.agent, units: body.units, wall });
    if (body.type === 'scope.granted' || body.type === 'scope.lapsed') this.#queues.delete(body.scope);
    if (body.type === 'scope.granted') {
      for (const unit of body.units) this.#holders.set(unit, { scope: body.scope, agent: body.owner.agent });
    }
    if (FREEING.includes(body.type) && 'scope' in body) {
      for (const [unit, { scope }] of this.#holders) if (scope === body.scope) this.#holders.delete(unit);
    }
  }
}

const FREEING: readonly EventBody['type'][] = ['scope.expired', 'scope.released', 'scope.done', 'scope.failed'];

function isProcess(units: readonly string[]): boolean {
  return units.every((unit) => unit.startsWith('process:'));
}

/** A line as it is shown: when, who, what. */
export function shown({ agent, text, wall }: Line, began: number): string {
  const time = `${((wall - began) / 1000).toFixed(1)} s`.padStart(7);
  return `${paint('dim', time)}  ${column(agent)} ${text}`;
}

/** What an agent tells itself: it belongs to the line above. */
export function remark(agent: string, text: string): string {
  return `${' '.repeat(9)}${column(agent)} ${text}`;
}

export function painted(name: string): string {
  const color = COLORS[name];
  return color === undefined ? name : paint(color, name);
}

function column(agent: string): string {
  // A command's process unit is held in the name of its agent: `ben (run)`.
  const [name = agent] = agent.split(' ');
  return painted(name) + ' '.repeat(Math.max(0, 5 - name.length));
}
