import { describe, expect, test } from 'vitest';
import { commandAgent } from './command-scope.js';
import { handOn } from './hand-on.js';
import { isRefusal, type Refusal } from './refusal.js';
import { type Agent, codeOf, got, refusalOf, World } from './scenario.testsuite.js';
import type { Scope } from './scope.js';

const INSTALL = ['process:install', 'package.json', 'package-lock.json'];

/** An agent, and the same one as the owner of what its commands hold. */
function withCommands(world: World, name: string): readonly [agent: Agent, commands: Agent] {
  return [world.agent(name), world.agent(commandAgent(name), `c-${name}`)];
}

function hand(agent: Agent, command: string, units: readonly string[], heir?: Scope): Scope | Refusal | undefined {
  return agent.world.act(agent.owner, (draft) =>
    handOn(draft, agent.claimant, { command, units, heir, title: 'Run npm i' }),
  );
}

describe('when a command has ended', () => {
  test('what it changed goes to the scope that it ran for, and its process to the next one', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const own = got(ada.claim(['src/']));
    const run = got(commands.claim(INSTALL));
    const next = got(world.agent('ben (run)').claim(INSTALL));
    const other = got(world.agent('cleo').claim(['package-lock.json']));
    got(hand(ada, run.id, ['package.json'], world.scope(own.id)) as Scope);
    expect([...world.scope(own.id).locks.keys()].sort()).toEqual(['package.json', 'src/']);
    expect([world.status(run.id), world.status(next.id), world.status(other.id)]).toEqual([
      'cancelled',
      'waiting',
      'waiting',
    ]);
    got(ada.publish());
    expect([world.status(next.id), world.status(other.id)]).toEqual(['active', 'waiting']);
  });

  test('without a scope that it ran for, a new one gets it', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const run = got(commands.claim(INSTALL));
    const made = hand(ada, run.id, ['package.json']);
    if (made === undefined || isRefusal(made)) throw new Error('nothing was handed on');
    expect(made).toMatchObject({ status: 'active', owner: ada.owner });
    expect(got(ada.write(['package.json'])).claimed).toEqual([]);
    expect(world.status(run.id)).toBe('cancelled');
  });

  test('nothing is handed on where the scope was lost meanwhile', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const own = got(ada.claim(['src/']));
    const run = got(commands.claim(INSTALL));
    const then = world.scope(own.id);
    got(ada.release());
    expect(hand(ada, run.id, ['package.json'], then)).toBeUndefined();
    expect(world.status(run.id)).toBe('active');
    world.pass(1_000_000_000);
    world.sweep();
    expect(hand(ada, run.id, ['package.json'])).toBeUndefined();
  });

  test('promise 4: not where that would close a cycle of waits', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const ben = world.agent('ben');
    const own = got(ada.claim(['src/']));
    const run = got(commands.claim(INSTALL));
    const his = got(ben.claim(['docs/']));
    got(ben.claim(['package.json'], { scope: his.handle }));
    got(ada.claim(['docs/'], { scope: own.handle }));
    expect(codeOf(hand(ada, run.id, ['package.json'], world.scope(own.id)))).toBe('DEADLOCK');
    expect(world.status(run.id)).toBe('active');
  });
});

describe('a command that waits', () => {
  test('promise 4: keeps its agent waiting, so that a circle through both is refused', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const ben = world.agent('ben');
    got(ada.claim(['src/']));
    const his = got(ben.claim(['package.json']));
    expect(got(commands.claim(INSTALL)).status).toBe('waiting');
    expect(refusalOf(ben.claim(['src/'], { scope: his.handle }))).toMatchObject({ code: 'DEADLOCK' });
  });

  test('and the same where the command comes second', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const ben = world.agent('ben');
    got(ada.claim(['src/']));
    const his = got(ben.claim(['package.json']));
    got(ben.claim(['src/'], { scope: his.handle }));
    expect(codeOf(commands.claim(INSTALL))).toBe('DEADLOCK');
  });

  test('but one at work ends by itself: waiting for it is no circle', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    const ben = world.agent('ben');
    const own = got(ada.claim(['src/']));
    got(commands.claim(INSTALL));
    const his = got(ben.claim(['docs/']));
    expect(got(ben.claim(['package.json'], { scope: his.handle })).status).toBe('active');
    expect(got(ada.claim(['docs/'], { scope: own.handle })).status).toBe('active');
    expect(world.scope(his.id).ticket).toBeDefined();
    expect(world.scope(own.id).ticket).toBeDefined();
  });

  test('what a command of the same connection holds is waited for, like its process', () => {
    const world = new World();
    const [ada, commands] = withCommands(world, 'ada');
    got(commands.claim(INSTALL));
    expect(got(ada.claim(['package.json'])).status).toBe('waiting');
  });
});
