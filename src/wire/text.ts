import { z } from 'zod';
import { isReserved } from '../domain/agent-name.js';

export const KB = 1_000;
const MAX_PATH = 4_096;
export const MAX_LIST = 1_000;

/**
 * Control and format characters (bidi overrides, tags, the byte order mark), separators of lines and halves of surrogate
 * pairs: they make one name look like another, or hide text. Joiners are part of many scripts and emoji.
 */
const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;
const HIDDEN_IN_PROSE = /(?![\n\r\t])\p{Cc}|[\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;

export function text(max: number) {
  return z.string().max(max);
}

export function withoutNul(max: number) {
  return text(max).refine((value) => !value.includes('\0'), { error: 'text without NUL characters' });
}

/** A name or title that others read: one line. */
export function label(max: number) {
  return text(max)
    .refine((value) => value.trim() !== '', { error: 'text that is not empty' })
    .refine((value) => !HIDDEN.test(value), { error: 'one line without control or invisible characters' });
}

/** What somebody goes by in the ledger. */
export function agentName(max: number) {
  return label(max).refine((name) => !isReserved(name), { error: 'a name that is not one of Signalbox itself' });
}

/** Several lines that others read. */
export function prose(max: number) {
  return text(max).refine((value) => !HIDDEN_IN_PROSE.test(value), {
    error: 'text without control or invisible characters',
  });
}

export const path = withoutNul(MAX_PATH).min(1);
/** A scope, by id or handle. */
export const handle = label(64);
export const units = z.array(path).max(MAX_LIST);
export const scopeIds = z.array(handle).max(MAX_LIST);
