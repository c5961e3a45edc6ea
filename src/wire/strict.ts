import { z } from 'zod';
import { type Refusal, refuse } from '../domain/refusal.js';
import { nearest } from './names.js';
import { fault, type Issue } from './parse.js';

const SHOWN = 60;
const NAMES = 20;

/** What a program sent → input, or INVALID with argument, expected, got. Nothing is mended, nothing is ignored. */
export function parseStrict<Input>(schema: z.ZodType<Input>, value: unknown): { readonly input: Input } | Refusal {
  const meant = optionFor(schema, value);
  const long = overlong(meant, value);
  if (long !== undefined) return long;
  const result = meant.safeParse(value);
  if (result.success) return { input: result.data };
  const issue = innermost(result.error.issues);
  return issue.code === 'unrecognized_keys' ? unknown(issue, meant) : wrong(issue, value);
}

/** Of several kinds of object, the one that has the most of the names that came. */
function optionFor<Input>(schema: z.ZodType<Input>, value: unknown): z.ZodType<Input> {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const came = Object.keys(typeof value === 'object' && value !== null ? value : {});
  const known = (option: z.core.$ZodType) => came.filter((name) => namesIn(option, []).includes(name)).length;
  const [best] = [...schema.options].sort((a, b) => known(b) - known(a));
  return (best ?? schema) as z.ZodType<Input>;
}

/** A list is counted before anything in it is looked at: there may be very many. */
function overlong(schema: z.ZodType, value: unknown): Refusal | undefined {
  for (const [name, list] of Object.entries(typeof value === 'object' && value !== null ? value : {})) {
    const bag = property(property(bare(within(schema, name)), '_zod'), 'bag');
    const most = property(bag, 'maximum');
    if (!Array.isArray(list) || typeof most !== 'number' || list.length <= most) continue;
    return misfit('LIMIT', name, `a list of at most ${most} items`, `a list of ${list.length}`);
  }
  return undefined;
}

/** Of several shapes that a value might have had, the one that it comes nearest to tells what is wrong. */
function innermost(issues: readonly Issue[]): Issue {
  // A wrong name is the reason why the right one is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw new Error('the schema refused without an issue');
  if (issue.code !== 'invalid_union') return issue;
  const [meant] = issue.errors.filter(([first]) => first !== undefined).sort((a, b) => depth(b) - depth(a));
  if (meant === undefined || depth(meant) === 0) return issue;
  const inner = innermost(meant);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function depth([issue]: readonly Issue[]): number {
  return issue?.path.length ?? 0;
}

function wrong(issue: Issue, value: unknown): Refusal {
  const { place, expected, got } = fault(issue, value);
  const isLong = issue.code === 'too_big' && issue.origin === 'array';
  return misfit(isLong ? 'LIMIT' : 'INVALID', place || 'body', expected, got);
}

function misfit(code: 'INVALID' | 'LIMIT', argument: string, expected: string, got: string): Refusal {
  const sentence = `${argument} does not fit: expected ${expected}, got ${got}.`;
  return refuse(code, sentence, `Send ${argument} as ${expected}.`, { argument, expected, got });
}

function unknown(issue: Extract<Issue, { code: 'unrecognized_keys' }>, schema: z.ZodType): Refusal {
  const [key = ''] = issue.keys;
  const place = fault({ ...issue, path: [...issue.path, cut(key)] } as Issue, undefined).place;
  const known = namesIn(schema, issue.path);
  const meant = nearest(key, known);
  const hint = meant === undefined ? '' : `; it looks like ${meant}`;
  return refuse(
    'INVALID',
    `There is no field ${JSON.stringify(place)}${hint}.`,
    'Leave it out, or send it by its name.',
    {
      argument: place,
      fields: known.slice(0, NAMES),
    },
  );
}

/** The names that may stand at a place. */
function namesIn(schema: unknown, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<unknown>((inner, key) => within(bare(inner), key), schema);
  const shape: unknown = property(bare(at), 'shape');
  return typeof shape === 'object' && shape !== null ? Object.keys(shape) : [];
}

function within(schema: unknown, key: PropertyKey): unknown {
  return typeof key === 'number' ? property(schema, 'element') : property(property(schema, 'shape'), key);
}

/** A schema without what only says that it may be left out. */
function bare(schema: unknown): unknown {
  const inner = property(property(schema, 'def'), 'innerType');
  return inner === undefined ? schema : bare(inner);
}

function property(of: unknown, key: PropertyKey): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined;
}

function cut(name: string): string {
  return name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name;
}
