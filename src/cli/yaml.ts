import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import type { CST, Document, Node } from 'yaml';
import { DEFAULTS } from '../domain/settings.js';

/** Levels of nesting, as the parser counts them. */
const MAX_DEPTH = 64;
const MAX_KEYS = 1_000;
const MAX_NAMED = 1_000;
/** The longest list that we read is a plan; what a comma may leave behind its last item counts too. */
const MAX_ITEMS = DEFAULTS.maxPlan + 1;

/** One YAML document as plain values. */
export interface Yaml {
  readonly value: unknown;
  /** The line, from 1, of a place such as `scopes[2].title`, or of as much of the way to it as there is. */
  lineOf(place: string): number;
}

/** Why there is no document. */
export interface YamlFault {
  readonly fault: 'missing' | 'unreadable' | 'too_large' | 'malformed';
  readonly reason: string;
}

/** Reads a file with one YAML document, or the standard input for `-`. What is in it costs no more than its size allows. */
export async function readYaml(path: string, maxBytes: number): Promise<Yaml | YamlFault> {
  const bytes = path === '-' ? await readInput(maxBytes) : readFile(path, maxBytes);
  if ('fault' in bytes) return bytes;
  return isUtf8(bytes) ? parseYaml(bytes.toString('utf8')) : { fault: 'malformed', reason: 'is no UTF-8 text' };
}

function readFile(path: string, maxBytes: number): Buffer | YamlFault {
  try {
    const stat = statSync(path);
    // A pipe would be read for ever.
    if (!stat.isFile()) return { fault: 'unreadable', reason: 'is no file' };
    return stat.size > maxBytes ? tooLarge(maxBytes) : readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { fault: 'missing', reason: 'is not there' };
    return { fault: 'unreadable', reason: `cannot be read: ${String(error)}` };
  }
}

async function readInput(maxBytes: number): Promise<Buffer | YamlFault> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) return tooLarge(maxBytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): YamlFault {
  return { fault: 'too_large', reason: `has more than ${maxBytes / 1_000_000} MB` };
}

/** One YAML document; JSON is YAML too. */
export async function parseYaml(text: string): Promise<Yaml | YamlFault> {
  // Loaded only here: most starts have no such file, and a start has to be quick.
  const yaml = await import('yaml');
  const { LineCounter, parseDocument } = yaml;
  const excessive = excess(text, yaml);
  if (excessive !== undefined) return excessive;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) return { fault: 'malformed', reason: error.message.trimEnd() };
  try {
    // Throws where aliases would stand for more than any memory holds.
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { value, lineOf: (place) => lines.linePos(nodeAt(document, place)?.range?.[0] ?? 0).line };
  } catch (error) {
    return { fault: 'malformed', reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * What of a text would cost more to compose than its size allows: composing calls itself for each level, compares each key
 * of a mapping with all others, and looks each tag and anchor up among all. A list costs what it is long, but none may be longer
 * than a plan.
 */
function excess(text: string, { Lexer, Parser }: typeof import('yaml')): YamlFault | undefined {
  const parser = new Parser();
  let named = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (/^[&!]/.test(lexeme)) named += 1;
    if (named > MAX_NAMED) return malformed(`has more than ${MAX_NAMED} tags and anchors`);
    if (parser.stack.length > MAX_DEPTH) return malformed(`nests deeper than ${MAX_DEPTH} levels`);
    const top = parser.stack.at(-1);
    const items = top !== undefined && 'items' in top ? top.items.length : 0;
    if (items > MAX_KEYS && isMapping(top)) return malformed(`has a mapping of more than ${MAX_KEYS} keys`);
    if (items > MAX_ITEMS) return { fault: 'too_large', reason: `has a list of more than ${MAX_ITEMS} items` };
  }
  return undefined;
}

function malformed(reason: string): YamlFault {
  return { fault: 'malformed', reason };
}

function isMapping(token: CST.Token | undefined): boolean {
  return token?.type === 'block-map' || (token?.type === 'flow-collection' && token.start.source === '{');
}

function nodeAt(document: Document.Parsed, place: string): Node | null {
  let node: Node | null = document.contents;
  for (const [, name, index] of place.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const next: unknown = isCollection(node) ? node.get(name ?? Number(index), true) : undefined;
    if (!isNode(next)) return node;
    node = next;
  }
  return node;
}

function isCollection(node: unknown): node is { get(key: string | number, keepNode: true): unknown } {
  return isNode(node) && 'get' in node && typeof node.get === 'function';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}
