import { z } from 'zod';
import type { Code, Refusal } from '../domain/refusal.js';

/** What each refusal is over HTTP. */
export const PROBLEMS: { readonly [code in Code]: { readonly status: number; readonly title: string } } = {
  HELD: { status: 409, title: 'Held by another scope' },
  WAITING: { status: 409, title: 'Still waiting' },
  NOT_CLAIMED: { status: 409, title: 'Not claimed' },
  STALE_BASE: { status: 409, title: 'Changed since' },
  NO_MATCH: { status: 409, title: 'The text to replace is not there' },
  LEASE_LOST: { status: 409, title: 'The lease has ended' },
  DEADLOCK: { status: 409, title: 'It would never end' },
  BLOCKED: { status: 409, title: 'Blocked' },
  INCOMPLETE: { status: 409, title: 'Not complete' },
  REVIEW: { status: 409, title: 'Needs a review' },
  OUTSIDE: { status: 403, title: 'Outside the workspace' },
  PROTECTED: { status: 403, title: 'Protected' },
  NOT_YOURS: { status: 403, title: "Another agent's scope" },
  DENIED: { status: 403, title: 'Denied' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  UNKNOWN_SCOPE: { status: 404, title: 'Unknown scope' },
  BINARY: { status: 422, title: 'Not text' },
  INVALID: { status: 400, title: 'Does not fit' },
  LIMIT: { status: 422, title: 'Over a limit' },
  BUSY: { status: 503, title: 'Busy' },
  UNAVAILABLE: { status: 503, title: 'Unavailable' },
};

/** RFC 9457, with what a refusal says besides. */
export const problemSchema = z.object({
  type: z.string().describe('about:blank, or urn:signalbox:<code>'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What happened, in one sentence'),
  code: z.string().exactOptional().describe('The code of the refusal, which never changes its meaning'),
  facts: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('The facts behind the sentence; argument names a field'),
  next: z.string().exactOptional().describe('What to do now. Tools that it names have routes of their own here'),
});

export type Problem = z.infer<typeof problemSchema>;

/** @param status where the occasion asks for another one than the code does. */
export function problemOf({ code, sentence, facts, next }: Refusal, status = PROBLEMS[code].status) {
  const { title } = PROBLEMS[code];
  return { type: `urn:signalbox:${code}`, title, status, detail: sentence, code, facts, next };
}
