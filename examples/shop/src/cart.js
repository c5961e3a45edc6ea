import { priceOf } from './prices.js';

/** A cart is a list of lines: { item, count }. */
export function subtotal(lines) {
  return lines.reduce((sum, { item, count }) => sum + priceOf(item) * count, 0);
}

export function total(lines) {
  return subtotal(lines);
}
