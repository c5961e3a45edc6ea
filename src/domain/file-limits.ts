/** Bytes of a file that has versions. */
export const LARGEST_FILE = 50_000_000;

/** Files of one change. */
export const MOST_FILES = 1_000;

/** The same for what no caller can divide: the writes of a command, and what a scope takes back. */
export const MOST_FILES_TOGETHER = 10_000;
