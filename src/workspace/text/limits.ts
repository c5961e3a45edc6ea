/** Bounds on one patch: past each of them the answer is LIMIT, before any work is done. */

/** Edits, or file sections of a diff. */
export const MAX_EDITS = 1_000;
export const MAX_HUNKS = 10_000;
/** Bytes of one resulting file. */
export const MAX_RESULT = 50 * 1024 * 1024;
/** Bytes of all resulting files together. */
export const MAX_TOTAL = 200 * 1024 * 1024;
/** Characters searched for all edits together; about a second of work. */
export const MAX_SEARCHED = 1_000_000_000;
/** Line comparisons while the hunks of one file are placed; well under a second of work. */
export const MAX_COMPARED = 20_000_000;
/** Characters of a text that is merged; a longer one is refused rather than merged slowly. */
export const MAX_MERGED = 2_000_000;
export const MAX_MERGED_LINES = 50_000;
