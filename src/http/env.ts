import type { HttpBindings } from '@hono/node-server';
import type { Identity } from './identity.js';

/** What is known of a request after it was let in. */
export interface Env {
  Bindings: HttpBindings;
  Variables: {
    identity: Identity;
    /** Parsed JSON. */
    body: unknown;
    /** Why it was refused, for the log: the code, and the field. */
    fault: string;
  };
}
