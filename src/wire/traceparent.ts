/** W3C Trace Context: version, trace, parent, flags. Version 00 has nothing after them; later ones may, behind a dash. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace id of a `traceparent`. Undefined where it is not well-formed: then there is none. */
export function traceOf(traceparent: unknown): string | undefined {
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  if (match === null || (match[1] === '00' && match[3] !== undefined)) return undefined;
  return match[2];
}
