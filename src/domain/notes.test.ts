import { expect, test } from 'vitest';
import { takeNotes } from './notes.js';
import { note } from './operate.js';
import { type Agent, got, World } from './scenario.testsuite.js';

const texts = ({ world, owner }: Agent, named: readonly string[] = []) =>
  got(world.act(owner, (draft) => takeNotes(draft, owner, named))).map(({ scope, from, text }) => [scope, from, text]);

test('an agent is told once what waits for its scopes, and no other agent is', () => {
  const world = new World();
  const [ada, ben] = [world.agent('ada'), world.agent('ben')];
  const first = got(ada.claim(['a.ts'])).id;
  const second = got(ada.claim(['b.ts'])).id;
  got(ben.claim(['c.ts']));
  for (const id of [first, second, first]) got(world.operate((draft) => note(draft, id, 'ops', `about ${id}`)));
  expect(texts(ben, [first])).toEqual([]);
  expect(texts(ada)).toEqual([
    [first, 'ops', 'about S001'],
    [first, 'ops', 'about S001'],
    [second, 'ops', 'about S002'],
  ]);
  expect(texts(ada)).toEqual([]);
});

test('without a connection it is told of the scopes that it names', () => {
  const world = new World();
  const ada = world.stateless('ada');
  const { id } = got(ada.claim(['a.ts']));
  got(world.operate((draft) => note(draft, id, 'ops', 'hurry')));
  expect(texts(ada)).toEqual([]);
  expect(texts(world.stateless('ben'), [id])).toEqual([]);
  expect(texts(ada, [id, 'S099'])).toEqual([[id, 'ops', 'hurry']]);
});
