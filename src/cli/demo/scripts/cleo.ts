import type { Actor } from '../actor.js';

const RECEIPT = 'src/receipt.js';

/** A printed receipt, which needs the discounts. She gets half-way: then her process is killed. */
export async function cleo(me: Actor): Promise<void> {
  const discounts = await me.hear('ada holds the cart');
  const receipt = await me.claim({
    title: 'Printed receipt',
    units: [RECEIPT, 'test/receipt.test.js'],
    consumes: [discounts],
  });
  const [promotions] = receipt.inputs;
  me.expect(promotions?.path === 'src/promotions.js', 'the output of the discounts should have come with the claim');
  const { text } = await me.read(`artifact:${promotions?.hash}`);
  me.expect(text.includes('export function promoted'), 'the artifact should be what ada published');
  await me.patch({ scope: receipt.scope, edits: HALF });
  me.tell('cleo is half-way', receipt.id);
  await new Promise(() => undefined);
}

const HALF = [
  {
    path: RECEIPT,
    old_string: "import { total } from './cart.js';\n",
    new_string: "import { amountOf, subtotal, total } from './cart.js';\n",
  },
  {
    path: RECEIPT,
    old_string: 'export function receipt(lines) {',
    new_string: `function row(name, cents) {
  return name.padEnd(12) + money(cents).padStart(12);
}

function itemRow(line) {
  return row(\`\${line.count} x \${line.item}\`, amountOf(line));
}

export function receipt(lines) {`,
  },
];
