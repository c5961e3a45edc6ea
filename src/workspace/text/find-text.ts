/** Longer texts are first looked for by their beginning. */
const PROBE = 64;

/**
 * `text.indexOf(wanted, from)` in linear time. V8's own search takes (length of text) × (length of wanted) steps on
 * repetitive texts: 44 s were measured for 500,000 letters in 1,000,000.
 */
export function findText(text: string, wanted: string, from = 0): number {
  if (wanted.length <= PROBE) return text.indexOf(wanted, from);
  const probe = wanted.slice(0, PROBE);
  let allowance = text.length;
  for (let at = text.indexOf(probe, from); at !== -1; at = text.indexOf(probe, at + 1)) {
    if (text.startsWith(wanted, at)) return at;
    allowance -= wanted.length;
    if (allowance < 0) return findPeriodic(text, wanted, at + 1);
  }
  return -1;
}

/** Knuth, Morris and Pratt: never looks at a character of the text twice. */
function findPeriodic(text: string, wanted: string, from: number): number {
  const borders = bordersOf(wanted);
  let matched = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && wanted.charCodeAt(matched) !== code) matched = Number(borders[matched - 1]);
    if (wanted.charCodeAt(matched) === code) matched++;
    if (matched === wanted.length) return at - matched + 1;
  }
  return -1;
}

/** For each beginning of the text, the length of the longest shorter beginning that it also ends with. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let matched = 0;
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && text.charCodeAt(matched) !== code) matched = Number(borders[matched - 1]);
    if (text.charCodeAt(matched) === code) matched++;
    borders[at] = matched;
  }
  return borders;
}
