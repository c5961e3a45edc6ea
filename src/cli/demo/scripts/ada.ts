import type { Actor } from '../actor.js';

const CART = 'src/cart.js';
const RECEIPT = 'src/receipt.js';

/** Discounts first; later the receipt, which was somebody else's until that one was killed. */
export async function ada(me: Actor): Promise<void> {
  const discounts = await me.claim({
    title: 'Quantity discounts',
    units: [CART, 'src/promotions.js', 'test/promotions.test.js'],
    produces: ['src/promotions.js'],
  });
  me.tell('ada holds the cart', discounts.id);
  await Promise.all([me.hear('ben waits'), me.hear('cleo waits'), me.hear('dan waits')]);
  await me.patch({ scope: discounts.scope, edits: DISCOUNTS });
  await me.test(discounts.scope);
  await me.publish({ scope: discounts.scope, summary: 'From three of one item on, a tenth less.' });

  const notes = await me.claim({ title: 'Describe the discounts', units: ['README.md'] });
  await me.patch({ scope: notes.scope, edits: NOTES });
  const lost = await me.hear('cleo is lost');
  await me.hear('dan is done');
  await me.publish({ scope: notes.scope, summary: 'What the shop takes off, and adds.' });
  await finishReceipt(me, lost);
}

async function finishReceipt(me: Actor, lost: string): Promise<void> {
  const receipt = await me.claim({ scope: lost });
  const { handover } = receipt;
  me.expect(
    handover?.from === 'cleo' && handover.diff.includes('+function itemRow(line) {'),
    `${lost} should come with what cleo did, but: ${handover?.diff}`,
  );
  const { text, version } = await me.read(RECEIPT);
  me.expect(text.includes('function itemRow(line) {'), 'what cleo did should be in the file');
  await me.patch({
    scope: receipt.scope,
    edits: [...REST.map((edit) => ({ path: RECEIPT, base: version.slice(0, 10), ...edit })), TEST],
  });
  await me.test(receipt.scope);
  await me.publish({ scope: receipt.scope, summary: 'A row for each item, then delivery and the total.' });
}

const DISCOUNTS = [
  {
    path: 'src/promotions.js',
    content: `/** From three of one item on, a tenth less. */
export function promoted(amount, count) {
  return count >= 3 ? amount - Math.round(amount / 10) : amount;
}
`,
  },
  {
    path: CART,
    old_string: "import { priceOf } from './prices.js';\n",
    new_string: "import { priceOf } from './prices.js';\nimport { promoted } from './promotions.js';\n",
  },
  {
    path: CART,
    old_string: '  return priceOf(item) * count;',
    new_string: '  return promoted(priceOf(item) * count, count);',
  },
  {
    path: 'test/promotions.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountOf } from '../src/cart.js';

test('three of one item cost a tenth less', () => {
  assert.equal(amountOf({ item: 'tea', count: 2 }), 900);
  assert.equal(amountOf({ item: 'tea', count: 3 }), 1215);
});
`,
  },
];

const NOTES = [
  {
    path: 'README.md',
    old_string: '# Shop\n',
    new_string: '# Shop\n\nFrom three of one item on, a tenth less. From 30 EUR on, delivery is free.\n',
  },
];

const REST = [
  {
    old_string: 'export function money(cents) {',
    new_string: "import { deliveryFor } from './delivery.js';\n\nexport function money(cents) {",
  },
  {
    old_string: `export function receipt(lines) {
  return \`Total \${money(total(lines))}\`;
}
`,
    new_string: `/** The receipt, as it is printed. */
export function receipt(lines) {
  const delivery = row('Delivery', deliveryFor(subtotal(lines)));
  return [...lines.map(itemRow), delivery, row('Total', total(lines))].join('\\n');
}
`,
  },
];

const TEST = {
  path: 'test/receipt.test.js',
  content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receipt } from '../src/receipt.js';

test('a receipt has a row for each item, the delivery and the total', () => {
  const rows = receipt([
    { item: 'tea', count: 3 },
    { item: 'cup', count: 1, gift: true },
  ]).split('\\n');
  assert.deepEqual(
    rows.map((row) => row.replace(/ +/g, ' ')),
    ['3 x tea 12.15 EUR', '1 x cup 12.00 EUR', 'Delivery 4.90 EUR', 'Total 30.55 EUR'],
  );
});
`,
};
