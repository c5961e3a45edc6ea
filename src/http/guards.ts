const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
/** Addresses that stand for all of the machine's, and the one by which it reaches itself. */
const EVERY: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '[::1]'],
]);

/** How clients may name a server that listens on this address, which was asked for as `given`; the first is for URLs. */
export function hostNames(given: string, address: string): readonly [string, ...string[]] {
  const self = EVERY.get(address);
  return self === undefined ? [inUrl(given), inUrl(address)] : [self];
}

/** Whether only this machine can call a server that listens there. */
export function isLoopback(given: string): boolean {
  return LOOPBACK.includes(inUrl(given).toLowerCase()) || /^127[.\d]*$/.test(given);
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/**
 * The Host headers that are served: the loopback names and these others, each bare or with the server's port.
 * A page that made its own name resolve to this machine sends its own name.
 */
export function allowedHosts(others: readonly string[], port: number): ReadonlySet<string> {
  const names = [...LOOPBACK, ...others.map((name) => name.toLowerCase())];
  return new Set(names.flatMap((name) => [name, `${name}:${port}`]));
}

/** Whether a browser's page may call: no Origin (no browser), or a page of this very server. `null` is nobody's. */
export function allowedOrigin(origin: string | undefined, hosts: ReadonlySet<string>): boolean {
  if (origin === undefined) return true;
  const match = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase());
  return match?.[1] !== undefined && hosts.has(match[1]);
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([\x21-\x7e]{1,512}) *$/i.exec(header ?? '')?.[1];
}

/** Whether a URL carries something that belongs in the Authorization header, where logs and histories keep it. */
export function hasTokenInUrl(url: string): boolean {
  return [...new URL(url).searchParams.keys()].some((name) => /token|secret|key|auth/i.test(name));
}

export function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}
