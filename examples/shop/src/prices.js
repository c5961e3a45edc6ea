/** Prices are whole cents. */
export const PRICES = {
  tea: 450,
  cup: 1200,
  kettle: 3900,
};

export function priceOf(item) {
  const price = PRICES[item];
  if (price === undefined) throw new Error(`no price for ${item}`);
  return price;
}
