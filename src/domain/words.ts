/** What a shell would not take literally: operators, expansions, comments. */
const OPERATOR = /[;&|<>()$`*?[\]\p{Cc}]/u;
/** What a backslash takes its meaning from between double quotes. */
const ESCAPED = /["\\$`]/;

/**
 * The words of a command that is one plain command to a shell: quotes and backslashes are understood; undefined where
 * anything else in it means more than itself (`;`, `&&`, `$(…)`, redirections, patterns, assignments, several lines).
 */
export function plainWords(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; ) {
    const part = partAt(command, at, word === undefined);
    if (part === undefined) return undefined;
    if (part.text === undefined && word !== undefined) words.push(word);
    word = part.text === undefined ? undefined : (word ?? '') + part.text;
    at += part.length;
  }
  if (word !== undefined) words.push(word);
  // `NAME=value` in front sets a variable; `!` turns the exit code around.
  const [first = ''] = words;
  return first === '' || first === '!' || first.includes('=') ? undefined : words;
}

/**
 * The simple commands of a command line, each as its words: what stands between `;`, `&&`, `|`, parentheses and ends of
 * lines, without redirections and comments. To recognize commands by, not to trust: what a shell would expand stays as it
 * is written, and what follows a here-document is not read.
 */
export function simpleCommands(line: string): readonly (readonly string[])[] {
  const reader = new Reader();
  const text = line.replaceAll('\\\n', ' ');
  for (let at = 0; at < text.length; ) {
    if (text.startsWith('<<', at) && text[at + 2] !== '<') break;
    at += reader.read(text, at);
  }
  reader.endCommand();
  return reader.commands;
}

class Reader {
  readonly commands: string[][] = [];
  #words: string[] = [];
  #word: string | undefined;
  /** The next word is where a redirection goes. */
  #redirects = false;

  /** Takes in what stands at a place → its length. */
  read(text: string, at: number): number {
    const part = partAt(text, at, this.#word === undefined);
    if (part?.text === undefined && part !== undefined) this.#endWord();
    if (part !== undefined) {
      this.#word = part.text === undefined ? undefined : (this.#word ?? '') + part.text;
      return part.length;
    }
    const redirection = /^&?[<>]+[&|]?/.exec(text.slice(at))?.[0];
    if (redirection !== undefined) return this.#redirect(redirection);
    const char = text[at] ?? '';
    if (';&|()\n'.includes(char)) this.endCommand();
    else if (char === '#' && this.#word === undefined) return toEndOfLine(text, at);
    else return this.#asWritten(text, at);
    return 1;
  }

  endCommand(): void {
    this.#endWord();
    if (this.#words.length > 0) this.commands.push(this.#words);
    this.#words = [];
    this.#redirects = false;
  }

  #endWord(): void {
    if (this.#word !== undefined && !this.#redirects) this.#words.push(this.#word);
    if (this.#word !== undefined) this.#redirects = false;
    this.#word = undefined;
  }

  /** The number of a stream in front belongs to it. */
  #redirect(sign: string): number {
    if (/^\d+$/.test(this.#word ?? '')) this.#word = undefined;
    this.#endWord();
    this.#redirects = true;
    return sign.length;
  }

  /** Between double quotes, up to their end. */
  #asWritten(text: string, at: number): number {
    const quoted = text[at] === '"' ? (/^"(?:[^"\\]|\\.)*"?/s.exec(text.slice(at))?.[0] ?? '"') : text.charAt(at);
    this.#word = (this.#word ?? '') + (text[at] === '"' ? quoted.replace(/^"|"$/g, '') : quoted);
    return quoted.length;
  }
}

function toEndOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return (end < 0 ? text.length : end) - at;
}

/** What stands at a place: text of a word, or a gap between words. */
interface Part {
  readonly text: string | undefined;
  readonly length: number;
}

function partAt(command: string, at: number, begins: boolean): Part | undefined {
  const char = command[at] ?? '';
  if (char === ' ' || char === '\t') return { text: undefined, length: 1 };
  if (char === "'") return singleQuoted(command, at);
  if (char === '"') return doubleQuoted(command, at);
  if (char === '\\') {
    const next = command[at + 1];
    return next === undefined || /\p{Cc}/u.test(next) ? undefined : { text: next, length: 2 };
  }
  if (OPERATOR.test(char) || (begins && char === '#')) return undefined;
  if (char === '~' && (begins || /[=:]/.test(command[at - 1] ?? ''))) return undefined;
  if (char === '{') return braced(command, at);
  return { text: char, length: 1 };
}

/** `HEAD@{1}` is itself; `{a,b}` and `{1..3}` are several words, and so is `{a},b}`: what closes a brace is told by its end. */
function braced(command: string, at: number): Part | undefined {
  const inside = /^\{[\w@/-]*\}(?!\S*\})/.exec(command.slice(at));
  return inside === null ? undefined : { text: inside[0], length: inside[0].length };
}

function singleQuoted(command: string, at: number): Part | undefined {
  const end = command.indexOf("'", at + 1);
  const text = command.slice(at + 1, end);
  return end < 0 || text.includes('\0') ? undefined : { text, length: end - at + 1 };
}

function doubleQuoted(command: string, at: number): Part | undefined {
  let text = '';
  for (let here = at + 1; here < command.length; here++) {
    const char = command[here] ?? '';
    const next = command[here + 1] ?? '';
    if (char === '"') return { text, length: here - at + 1 };
    if (char === '$' || char === '`' || char === '\0') return undefined;
    if (char === '\\' && next === '\n') return undefined;
    if (char === '\\' && ESCAPED.test(next)) {
      text += next;
      here++;
    } else text += char;
  }
  return undefined;
}
