import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subtotal } from '../src/cart.js';
import { receipt } from '../src/receipt.js';

test('a cart adds up', () => {
  assert.equal(
    subtotal([
      { item: 'tea', count: 2 },
      { item: 'cup', count: 1 },
    ]),
    2100,
  );
});

test('a receipt shows the total', () => {
  assert.match(receipt([{ item: 'kettle', count: 1 }]), /39\.00 EUR/);
});
