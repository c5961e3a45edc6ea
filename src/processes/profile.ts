/** What a command may do on macOS. All paths are absolute and real (`/private/tmp`, not `/tmp`). */
export interface Allowed {
  readonly root: string;
  /** Folders that it may write. */
  readonly writable: readonly string[];
  /** Names that it may not write anywhere in the workspace. */
  readonly sealed: readonly string[];
  /** Not even to be read: secrets, and our own state. */
  readonly hidden: readonly string[];
  /** A folder inside a hidden one that is the command's own, with its home and its temporary files. */
  readonly own: string;
  readonly network: boolean;
  /** Unix sockets that it may connect to. */
  readonly sockets: readonly string[];
}

/** Everything is denied at first, so that launchd, Apple events and the keychain are no way out. */
const BASE = `(version 1)
(deny default)
(allow process-exec)
(allow process-fork)
(allow process-info* (target same-sandbox))
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow user-preference-read)
(allow ipc-posix-sem)
(allow pseudo-tty)
(allow file-read*)
(allow file-ioctl (regex #"^/dev/(tty|ptmx|fd)"))
(allow file-write-data (regex #"^/dev/(null|zero|tty|ptmx|dtracehelper|fd/[0-9]+|ttys[0-9]+)$"))
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo") (global-name "com.apple.system.opendirectoryd.membership"))
`;

/** Name resolution goes through a socket of its own; all others with a path stay closed. */
const NETWORK = `(allow network-outbound (remote ip))
(allow network-inbound (local ip))
(allow network-bind (local ip))
(allow network-outbound (literal "/private/var/run/mDNSResponder"))
(allow system-socket)
(allow mach-lookup (global-name "com.apple.SystemConfiguration.configd") (global-name "com.apple.SystemConfiguration.DNSConfiguration") (global-name "com.apple.trustd.agent") (global-name "com.apple.networkd"))
`;

/** The profile for `sandbox-exec -p`. Of two rules that match, the later one counts. */
export function seatbeltProfile({ root, writable, sealed, hidden, own, network, sockets }: Allowed): string {
  const rules = [
    ...writable.map((path) => `(allow file-write* (subpath ${quote(path)}))`),
    // Removing or renaming a claimed folder would be a write to the folder that holds it.
    ...writable.map((path) => `(deny file-write-unlink (literal ${quote(path)}))`),
    ...(sealed.length === 0 ? [] : [`(deny file-write* (regex ${namesBelow(root, sealed)}))`]),
    ...hidden.map((path) => `(deny file-read* file-write* (subpath ${quote(path)}))`),
    `(allow file-read* file-write* (subpath ${quote(own)}))`,
    ...(sockets.length === 0 || network ? [] : ['(allow system-socket)']),
    ...sockets.map(
      (path) => `(allow file-read* (literal ${quote(path)}))\n(allow network-outbound (literal ${quote(path)}))`,
    ),
  ];
  return `${BASE}${network ? NETWORK : ''}${rules.join('\n')}\n`;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** A regular expression literal for paths below a folder with one of the names on the way, in any case. */
function namesBelow(folder: string, names: readonly string[]): string {
  const prefix = folder.replace(/[^\w/]/g, (char) => (char === '"' ? '[\\"]' : `\\${char}`));
  const anyCase = (name: string): string =>
    [...name]
      .map((char) => (/[a-z]/i.test(char) ? `[${char.toLowerCase()}${char.toUpperCase()}]` : `[${char}]`))
      .join('');
  return `#"^${prefix}/(.*/)?(${names.map(anyCase).join('|')})(/|$)"`;
}
