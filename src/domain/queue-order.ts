import type { Ticket } from './scope.js';
import type { Settings } from './settings.js';

/**
 * Ticket order: priority, then arrival, where a step of priority is worth one `aging` of waiting: after that long,
 * newcomers one step higher no longer pass. The order of two tickets never changes while they wait, so ageing can't
 * close a cycle that was not there when they were queued. Negative: `a` is ahead of `b`.
 */
export function compareTickets(a: Ticket, b: Ticket, { aging }: Settings): number {
  return a.since - a.priority * aging - (b.since - b.priority * aging) || a.arrival - b.arrival;
}
