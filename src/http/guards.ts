const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The Host headers that are served: the loopback names and those configured, each bare or with the server's port.
 * A page that made its own name resolve to this machine sends its own name.
 */
export function allowedHosts(configured: readonly string[], port: number): ReadonlySet<string> {
  const names = [...LOOPBACK, ...configured.map((name) => name.toLowerCase())];
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
