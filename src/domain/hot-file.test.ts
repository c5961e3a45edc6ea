import { describe, expect, test } from 'vitest';
import type { EventBody } from './event.js';
import { scopeId } from './handle.js';
import { got, World } from './scenario.testsuite.js';
import { DEFAULTS } from './settings.js';

describe('a hot file with 1,000 tickets', () => {
  const TICKETS = 1_000;
  /** A few looks at each ticket, and a sort; all against all would be a million. */
  const FEW = 50 * TICKETS;

  /** Counts comparisons of tickets: the one thing that all ways through the queue have in common. */
  function hotFile(first = ['package.json']): { world: World; compared: (step: () => void) => number } {
    let comparisons = 0;
    const settings = {
      ...DEFAULTS,
      get aging() {
        comparisons++;
        return DEFAULTS.aging;
      },
    };
    const world = new World(settings, { checked: false });
    Object.defineProperty(world, 'settings', { value: settings });
    got(world.agent('holder').claim(['package.json', 'mine.ts']));
    got(world.agent('elsewhere').claim(['else.ts']));
    for (let number = 0; number < TICKETS; number++) {
      world.record(queued(world, `agent${number}`, number === 0 ? first : ['package.json']));
    }
    const compared = (step: () => void): number => {
      comparisons = 0;
      step();
      return comparisons;
    };
    return { world, compared };
  }

  function queued(world: World, agent: string, units: readonly string[]): EventBody[] {
    const { scopeCount, generation } = world.state;
    const scope = scopeId(scopeCount + 1);
    const owner = { agent, connection: `c-${agent}` };
    world.called(owner.connection);
    const contract = {
      title: agent,
      phase: 'build',
      units,
      consumes: [],
      produces: [],
      priority: 0,
      standing: false,
    } as const;
    return [
      { type: 'scope.opened', scope, contract, by: agent, pending: [] },
      { type: 'scope.queued', scope, units, mode: 'write', owner, priority: 0, generation: generation + 1 },
    ];
  }

  test('a newcomer', () => {
    const { world, compared } = hotFile();
    let behind = 0;
    const work = compared(() => {
      behind = got(world.agent('late').claim(['package.json'])).behind.length;
    });
    expect(behind).toBe(TICKETS + 1);
    expect(work).toBeLessThan(FEW);
  });

  test('a newcomer for whom somebody waits, so that a cycle is searched for', () => {
    const { world, compared } = hotFile();
    const late = world.agent('late');
    const mine = got(late.claim(['late.ts']));
    got(world.agent('other').claim(['late.ts']));
    const work = compared(() => {
      expect(got(late.claim(['package.json'], { scope: mine.handle })).behind.length).toBe(TICKETS + 1);
    });
    expect(work).toBeLessThan(FEW);
  });

  test('its holder, who claims more', () => {
    const { world, compared } = hotFile();
    got(world.agent('other').claim(['other.ts']));
    const work = compared(() => {
      expect(got(world.agent('holder').claim(['other.ts'], { scope: 'S001' })).behind.length).toBe(1);
    });
    expect(work).toBeLessThan(FEW);
  });

  test('each release: the next one is granted', () => {
    const { world, compared } = hotFile();
    for (const [at, name] of ['holder', 'agent0', 'agent1', 'agent2'].entries()) {
      const work = compared(() => got(world.agent(name).release()));
      expect(world.status(scopeId(at + 3))).toBe('active');
      expect(world.status(scopeId(at + 4))).toBe('waiting');
      expect(work).toBeLessThan(FEW);
    }
  });

  test('a release while its first ticket waits for something else', () => {
    const { world, compared } = hotFile(['package.json', 'else.ts']);
    const work = compared(() => got(world.agent('holder').release()));
    expect(world.told('scope.granted').length).toBe(2);
    expect(work).toBeLessThan(FEW);
  });
});
