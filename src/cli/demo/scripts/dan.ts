import type { Actor } from '../actor.js';

const CART = 'src/cart.js';

/** Small things without asking first, as agents do; then gift wrapping, from a version that others changed since. */
export async function dan(me: Actor): Promise<void> {
  const before = await me.read(CART);
  await me.hear('ada holds the cart');
  await licence(me);
  await me.hear('ben waits');
  const { scope } = await me.claim({
    title: 'Gift wrapping',
    units: [CART, 'src/wrapping.js', 'test/wrapping.test.js'],
  });
  const stale = [
    {
      path: CART,
      base: before.version.slice(0, 10),
      old_string: '  return subtotal(lines);',
      new_string: '  return subtotal(lines) + wrappingFor(lines);',
    },
  ];
  await me.refused('STALE_BASE', 'patch', { scope, edits: [...FILES, ...stale] });
  const now = await me.read(CART);
  await me.patch({
    scope,
    edits: [...FILES, ...IN_CART.map((edit) => ({ path: CART, base: now.version.slice(0, 10), ...edit }))],
  });
  await me.test(scope);
  await me.publish({ scope, summary: 'Wrapping a gift costs 1.50 EUR.' });
  me.tell('dan is done');
}

/** A patch of a file that nobody holds, a command that writes to more than it may, and a patch of what is held. */
async function licence(me: Actor): Promise<void> {
  const { scope } = await me.patch({ edits: LICENCE });
  me.expect(scope !== undefined, 'the patch should have claimed README.md');
  if (scope === undefined) return;
  const held = await me.read(CART);
  const answer = await me.run('node scripts/header.js', scope);
  const now = await me.read(CART);
  me.expect(now.version === held.version, `${CART} is ada's: the command should not have changed it`);
  if (answer?.containment === 'transactional') {
    me.expect(
      answer.changed.some(({ path }) => path === 'src/prices.js'),
      'what the command wrote to src/prices.js, which was free, should have been kept',
    );
    me.expect(
      answer.rejected.some(({ path }) => path === CART),
      `what the command wrote to ${CART} should have been rejected`,
    );
  }
  await me.refused('HELD', 'patch', {
    scope,
    edits: [{ path: CART, old_string: 'import {', new_string: '// Apache-2.0.\nimport {' }],
  });
  await me.publish({ scope, summary: 'Name the licence.' });
}

const LICENCE = [{ path: 'README.md', old_string: '# Shop\n', new_string: '# Shop\n\nLicence: Apache-2.0.\n' }];

const IN_CART = [
  {
    old_string: "import { promoted } from './promotions.js';\n",
    new_string: "import { promoted } from './promotions.js';\nimport { wrappingFor } from './wrapping.js';\n",
  },
  {
    old_string: '  sum += deliveryFor(sum);\n',
    new_string: '  sum += deliveryFor(sum);\n  sum += wrappingFor(lines);\n',
  },
];

const FILES = [
  {
    path: 'src/wrapping.js',
    content: `const WRAPPING = 150;

/** What wrapping the gifts of a cart costs. */
export function wrappingFor(lines) {
  return lines.filter((line) => line.gift).length * WRAPPING;
}
`,
  },
  {
    path: 'test/wrapping.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../src/cart.js';

test('each gift costs its wrapping', () => {
  assert.equal(total([{ item: 'kettle', count: 1, gift: true }]), 4050);
});
`,
  },
];
