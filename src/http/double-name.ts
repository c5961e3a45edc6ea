const WHITE: ReadonlySet<string | undefined> = new Set([' ', '\t', '\n', '\r']);

/**
 * A name that one object of a JSON text has twice: `JSON.parse` silently takes the last, and another reader the first.
 * The text is known to be JSON.
 */
export function doubleName(json: string): string | undefined {
  // The names of each object that is open; undefined for a list.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfText(json, at);
      const names = open.at(-1);
      if (names !== undefined && isName(json, end)) {
        const name: string = JSON.parse(json.slice(at, end));
        if (names.has(name)) return name;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Where a text is over that begins here with its quote. */
function endOfText(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); ; at = json.indexOf('"', at + 1)) {
    let escapes = 0;
    while (json[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function isName(json: string, end: number): boolean {
  let at = end;
  while (WHITE.has(json[at])) at++;
  return json[at] === ':';
}
