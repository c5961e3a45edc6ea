import type { Actor } from '../actor.js';

const CART = 'src/cart.js';

/** Delivery costs. He reads the cart, waits for it, and then patches from what he read: an older version by then. */
export async function ben(me: Actor): Promise<void> {
  const before = await me.read(CART);
  await me.hear('ada holds the cart');
  const { scope } = await me.claim({
    title: 'Delivery costs',
    units: [CART, 'src/delivery.js', 'test/delivery.test.js'],
  });
  const base = before.version.slice(0, 10);
  const answer = await me.patch({
    scope,
    edits: [...FILES, ...IN_CART.map((edit) => ({ path: CART, base, ...edit }))],
  });
  me.expect(
    answer.files.some(({ path, rebased }) => path === CART && rebased),
    `the change of ${CART} should have been rebased`,
  );
  await me.test(scope);
  await me.publish({ scope, summary: 'Delivery costs 4.90 EUR below 30 EUR.' });
}

const IN_CART = [
  {
    old_string: "import { priceOf } from './prices.js';\n",
    new_string: "import { deliveryFor } from './delivery.js';\nimport { priceOf } from './prices.js';\n",
  },
  {
    old_string: '  return subtotal(lines);\n',
    new_string: '  let sum = subtotal(lines);\n  sum += deliveryFor(sum);\n  return sum;\n',
  },
];

const FILES = [
  {
    path: 'src/delivery.js',
    content: `const FREE_FROM = 3000;
const DELIVERY = 490;

/** What delivery costs for a cart of this much. */
export function deliveryFor(subtotal) {
  return subtotal >= FREE_FROM ? 0 : DELIVERY;
}
`,
  },
  {
    path: 'test/delivery.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../src/cart.js';

test('delivery is free from 30 EUR on', () => {
  assert.equal(total([{ item: 'cup', count: 1 }]), 1690);
  assert.equal(total([{ item: 'kettle', count: 1 }]), 3900);
});
`,
  },
];
