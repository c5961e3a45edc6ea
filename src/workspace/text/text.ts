import { isUtf8 } from 'node:buffer';

const encoder = new TextEncoder();

/**
 * Bytes → text, or null for a binary: a NUL byte or invalid UTF-8. A byte order mark stays, as a character, so that
 * `encodeText` gives exactly the same bytes back.
 */
export function decodeText(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.includes(0) || !isUtf8(buffer) ? null : buffer.toString('utf8');
}

/** Text → UTF-8. The text must be well-formed (`isWellFormed`), otherwise its bytes would not be what was meant. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** False where half of a surrogate pair stands alone: such a text has no UTF-8 form. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** The lines of a text, each with its line ending; only the last may have none. Joined, they are the text. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start) + 1 || text.length;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}

/** `none`: no line ending at all. A lone CR is not a line ending here, as in git. */
export type Endings = 'none' | 'lf' | 'crlf' | 'mixed';

export function endingsOf(text: string): Endings {
  if (!text.includes('\r\n')) return text.includes('\n') ? 'lf' : 'none';
  return /(?:^|[^\r])\n/.test(text) ? 'mixed' : 'crlf';
}
