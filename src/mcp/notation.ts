/** As much of a content hash as a model needs to copy; `patch` takes it as `base`. */
export function short(version: string): string {
  return version.slice(0, 10);
}

/** A name on one line, whatever it holds: control characters escaped. */
export function plain(name: string): string {
  return name.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1).replace('\u007f', '\\u007f'));
}
