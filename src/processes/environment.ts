const INHERITED = new Set([
  'HOME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'USER',
  'LOGNAME',
  'SHELL',
  'CI',
  'JAVA_HOME',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_INDEX_URL',
  'PIP_CERT',
  'GOPROXY',
]);
const PATTERNS = [
  /^LC_[A-Z]+$/,
  /^(https?|no|all|ftp)_proxy$/i,
  // Not all of npm_config_*: tokens, `node_options` and `script_shell` travel there too.
  /^npm_config_((https?_)?proxy|noproxy|(@[\w.-]+:)?registry|cafile|ca|strict_ssl)$/i,
];

/**
 * What a command sees of the server's environment: an allow-list, so that secrets and everything that changes how
 * programs load (`LD_PRELOAD`, `NODE_OPTIONS`, `GIT_*`) stay behind. PATH is not among it: see `searchPath`.
 */
export function inherited(from: NodeJS.ProcessEnv): { [name: string]: string } {
  const kept: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(from)) {
    if (value !== undefined && (INHERITED.has(name) || PATTERNS.some((pattern) => pattern.test(name))))
      kept[name] = value;
  }
  return { ...kept, TERM: 'dumb', TMPDIR: '/tmp' };
}

export function searchPath(from: NodeJS.ProcessEnv): string {
  return from.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}
