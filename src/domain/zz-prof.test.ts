import { test } from 'vitest';
import { got, World } from './scenario.testsuite.js';
test('prof', () => {
  const world = new World({}, { checked: false });
  const w = world.agent('w');
  const mine = got(w.claim(['own.ts']));
  for (let i = 0; i <= 1000; i++) got(world.agent('a' + i).claim(['package.json']));
  got(world.agent('x').claim(['own.ts']));
  const t = performance.now();
  got(w.claim(['package.json'], { scope: mine.handle }));
  console.log('claim awaited', performance.now() - t);
});
