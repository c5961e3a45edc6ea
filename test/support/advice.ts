import type { Answer } from './agents.js';

/** A call that an answer proposes, as an agent would read it there. */
export interface Proposed {
  readonly tool: string;
  readonly args: { readonly [name: string]: unknown };
}

const CALL = /\b(read|patch|run|claim_scope|publish_output|open_scope|release_scope|list_scopes) (?=\{)/g;

/** The calls that stand word for word in an answer: a tool's name and JSON. Those with `…` are patterns, not calls. */
export function proposals({ text }: Answer): Proposed[] {
  return [...text.matchAll(CALL)].flatMap((match) => {
    const json = jsonAt(text, match.index + match[0].length);
    return json.includes('…') ? [] : [{ tool: match[1] ?? '', args: JSON.parse(json) }];
  });
}

/** The JSON object that begins here. */
function jsonAt(text: string, from: number): string {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === '{') depth++;
    else if (!quoted && char === '}' && --depth === 0) return text.slice(from, at + 1);
  }
  throw new Error(`no whole JSON in ${text.slice(from, from + 200)}`);
}
