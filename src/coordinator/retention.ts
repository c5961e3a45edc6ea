import type { Parts } from './parts.js';

/** How often to look, in milliseconds. The store does it once an hour, whichever server comes first. */
const EVERY = 3_600_000;

/** Drops now and then what is older than the operator wants it kept. For servers. */
export async function retain(parts: Parts): Promise<void> {
  try {
    const { contents, events } = await parts.store.expire(parts.rules.keep);
    if (contents > 0) parts.log(`${contents} contents that nothing needs any more have expired`);
    if (events > 0) parts.log(`${events} old events were cut from the ledger`);
  } catch (error) {
    parts.log(`what is old could not be dropped: ${String(error)}`);
  }
  setTimeout(() => void retain(parts), EVERY).unref();
}
