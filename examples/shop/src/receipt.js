import { total } from './cart.js';

export function money(cents) {
  return `${(cents / 100).toFixed(2)} EUR`;
}

export function receipt(lines) {
  return `Total ${money(total(lines))}`;
}
