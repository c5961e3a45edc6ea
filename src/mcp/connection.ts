import type { Coordinator } from '../coordinator/contract.js';
import { unavailable } from '../coordinator/unavailable.js';
import { statelessConnection } from '../domain/leases.js';
import type { Limits } from '../domain/limits.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';

/** Gives the coordinator, or says why there is none. Asked anew on each call, so a mended server works at once. */
export type Provider = () => Promise<Coordinator | Refusal>;

/** What whoever calls may do, as far as a token says it. Whoever started this process for itself may do everything. */
export interface Rights {
  readonly role: 'operator' | 'agent' | 'observer';
  readonly limits?: Limits;
}

/** What the tools need to know of the way by which a call came. */
export interface Door {
  readonly transport: 'stdio' | 'http';
  readonly rights: Rights;
  /** The connection of a caller with this client name. */
  connection(client: string): string;
  /** The coordinator, which knows of the connection when this resolves. */
  coordinator(): Promise<Coordinator | Refusal>;
}

const OWN: Rights = { role: 'operator' };

/** A client that stays: from its first call on, somebody beats for it, until it leaves. */
export class Connection implements Door {
  readonly #id: string;
  readonly #provider: Provider;
  #greeted: { readonly coordinator: Coordinator; readonly done: Promise<void> } | undefined;
  #left = false;

  constructor(
    readonly transport: Door['transport'],
    id: string,
    provider: Provider,
    readonly rights: Rights = OWN,
  ) {
    this.#id = id;
    this.#provider = provider;
  }

  connection(): string {
    return this.#id;
  }

  async coordinator(): Promise<Coordinator | Refusal> {
    const found = await reach(this.#provider);
    if (isRefusal(found)) return found;
    if (this.#greeted?.coordinator !== found) {
      const done = found.connected(this.#id);
      this.#greeted = { coordinator: found, done };
    }
    try {
      await this.#greeted.done;
      return found;
    } catch (error) {
      this.#greeted = undefined;
      return unavailable(error);
    }
  }

  /** The client is there again, though it has not called yet: what it still owns goes on living. */
  async back(): Promise<void> {
    if (!this.#left) return;
    this.#left = false;
    await this.coordinator();
  }

  /** Says that the connection ended, to the coordinator that knew it; returns that one. A later call takes it back. */
  async leave(): Promise<Coordinator | undefined> {
    const greeted = this.#greeted;
    if (greeted === undefined) return undefined;
    this.#greeted = undefined;
    this.#left = true;
    await greeted.done.catch(() => undefined);
    await greeted.coordinator.disconnected(this.#id);
    return greeted.coordinator;
  }
}

/** Requests that stand alone, all of one sender: the connection is made of that name and the client's. */
export function statelessDoor({ name, ...rights }: Rights & { readonly name: string }, provider: Provider): Door {
  return {
    transport: 'http',
    rights,
    connection: (client) => statelessConnection(`${name}:${client}`),
    coordinator: () => reach(provider),
  };
}

async function reach(provider: Provider): Promise<Coordinator | Refusal> {
  try {
    return await provider();
  } catch (error) {
    return unavailable(error);
  }
}
