import type { Ticket } from './scope.js';
import type { Settings } from './settings.js';

/** Waiting raises a ticket one step per `aging`, so nobody starves behind higher priorities. */
function rank(ticket: Ticket, now: number, settings: Settings): number {
  return ticket.priority + Math.floor(Math.max(0, now - ticket.since) / settings.aging);
}

/** Ticket order: rank, then arrival. Negative: `a` is ahead of `b`. */
export function compareTickets(a: Ticket, b: Ticket, now: number, settings: Settings): number {
  return rank(b, now, settings) - rank(a, now, settings) || a.arrival - b.arrival;
}
