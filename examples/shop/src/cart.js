import { priceOf } from './prices.js';

/** A cart is a list of lines: { item, count, gift }. All amounts are whole cents. */
export function subtotal(lines) {
  return lines.reduce((sum, line) => sum + amountOf(line), 0);
}

/** What one line of the cart costs. */
export function amountOf({ item, count }) {
  return priceOf(item) * count;
}

/** What the customer pays. */
export function total(lines) {
  return subtotal(lines);
}
