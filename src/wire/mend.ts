import { nearest } from './names.js';
import type { Shape } from './shape.js';

/** What was found in the arguments besides what belongs there. */
export interface Strange {
  /** Unknown arguments, by their place (`edits[0].why`). */
  readonly ignored: string[];
  /** Unknown arguments that look like a real one. */
  readonly confused: { readonly given: string; readonly meant: string }[];
}

const NUMBER = /^\s*-?\d{1,15}(\.\d{1,15})?\s*$/;

/**
 * Puts arguments into the shape that they should have where there is no doubt: JSON text becomes the list or object,
 * one value becomes a list of one, a numeric string a number, and null for an optional argument nothing.
 * What cannot be mended is left as it is, for the schema to refuse. Only known names are copied.
 */
export function mend(shape: Shape, value: unknown, place: string, strange: Strange): unknown {
  switch (shape.type) {
    case 'object':
      return mendObject(shape, parsedIf(value, '{'), place, strange);
    case 'array':
      return mendList(shape, parsedIf(value, '['), place, strange);
    case 'number':
    case 'integer':
      return typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'string':
      return value;
  }
}

function mendObject(shape: Shape, value: unknown, place: string, strange: Strange): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const properties = new Map(Object.entries(shape.properties ?? {}));
  const mended: [string, unknown][] = [];
  for (const [name, given] of Object.entries(value)) {
    const where = place === '' ? name : `${place}.${name}`;
    const known = properties.get(name);
    if (known === undefined) noteStrange(name, where, [...properties.keys()], strange);
    else if (given !== null || shape.required?.includes(name)) mended.push([name, mend(known, given, where, strange)]);
  }
  return Object.fromEntries(mended);
}

function mendList(shape: Shape, value: unknown, place: string, strange: Strange): unknown {
  const item = shape.items;
  if (item === undefined || value === undefined || value === null) return value;
  if (Array.isArray(value)) return value.map((each, i) => mend(item, each, `${place}[${i}]`, strange));
  const only = mend(item, value, place, strange);
  return typeof only === item.type ? [only] : value;
}

function noteStrange(name: string, where: string, names: readonly string[], strange: Strange): void {
  const meant = nearest(name, names);
  if (meant === undefined) strange.ignored.push(where);
  else strange.confused.push({ given: where, meant });
}

function parsedIf(value: unknown, opening: '[' | '{'): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith(opening)) return value;
  try {
    return JSON.parse(value);
  } catch {
    // Not JSON: a path may begin with a bracket (`[id].ts`).
    return value;
  }
}
