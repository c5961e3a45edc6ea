import type { z } from 'zod';
import { type Refusal, refuse } from '../domain/refusal.js';
import { mend, type Strange } from './mend.js';
import { shapeOf } from './shape.js';

export interface Parsed<Input> {
  readonly input: Input;
  /** Unknown arguments that were left aside, by their place. */
  readonly ignored: readonly string[];
}

export type Issue = z.core.$ZodIssue;

const MAX_SHOWN = 60;

/** Arguments as a client sent them → input, or INVALID with argument, expected, got. */
export function parse<Input>(tool: string, schema: z.ZodType<Input>, args: unknown): Parsed<Input> | Refusal {
  const shape = shapeOf(schema);
  const strange: Strange = { ignored: [], confused: [] };
  const mended = mend(shape, args ?? {}, '', strange);
  const [confused] = strange.confused;
  if (confused !== undefined) return confusedName(tool, confused.given, confused.meant, Object.keys(shape.properties));
  const result = schema.safeParse(mended);
  if (result.success) return { input: result.data, ignored: strange.ignored };
  const [issue] = result.error.issues;
  if (issue === undefined) throw new Error('the schema refused without an issue');
  return wrongValue(tool, issue, mended, strange.ignored);
}

function confusedName(tool: string, given: string, meant: string, names: readonly string[]): Refusal {
  const right = given.replace(/[^.]*$/, () => meant);
  return refuse(
    'INVALID',
    `${tool} has no argument ${shown(given)}; it looks like ${meant}.`,
    `Call ${tool} again with ${right} instead of ${shown(given)}.`,
    { argument: cut(given), expected: right, arguments: [...names] },
  );
}

function wrongValue(tool: string, issue: Issue, args: unknown, ignored: readonly string[]): Refusal {
  const { place, expected, got } = fault(issue, args);
  const argument = place || 'arguments';
  return refuse(
    'INVALID',
    `The argument ${argument} of ${tool} does not fit: expected ${expected}, got ${got}.`,
    `Call ${tool} again with ${argument} as ${expected}.`,
    { argument, expected, got, ...(ignored.length === 0 ? {} : { unknown: ignored.slice(0, 20).map(cut) }) },
  );
}

/** What is wrong with a value that a schema refused: where, what was expected there, what came. */
export function fault(issue: Issue, value: unknown): { place: string; expected: string; got: string } {
  return { place: placeOf(issue.path), expected: expectedBy(issue), got: described(valueAt(value, issue.path)) };
}

const KINDS: { readonly [type: string]: string } = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`;
    case 'too_big':
      return bounded(issue.origin, 'at most', issue.maximum);
    case 'too_small':
      return bounded(issue.origin, 'at least', issue.minimum);
    default:
      return issue.message;
  }
}

function bounded(origin: string, side: string, limit: number | bigint): string {
  if (side === 'at least' && limit === 1 && origin !== 'number') {
    return `${origin === 'array' ? 'a list' : 'text'} that is not empty`;
  }
  if (origin === 'string') return `text of ${side} ${limit} characters`;
  if (origin === 'array') return `a list of ${side} ${limit} items`;
  return `a number of ${side} ${limit}`;
}

/** A value in a few words, for the one who sent it. */
function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string' && value.length > MAX_SHOWN) return `text of ${value.length} characters`;
  return typeof value === 'string' ? `the text ${JSON.stringify(value)}` : String(value);
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

function cut(name: string): string {
  return name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
}

/** A name as it can stand in a sentence: control characters escaped. */
function shown(name: string): string {
  return JSON.stringify(cut(name));
}
