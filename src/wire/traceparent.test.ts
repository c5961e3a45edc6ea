import { expect, test } from 'vitest';
import { traceOf } from './traceparent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

test.each([
  [`00-${TRACE}-b7ad6b7169203331-01`, TRACE],
  [`cc-${TRACE}-b7ad6b7169203331-01-what-comes-later`, TRACE],
  [`00-${TRACE}-b7ad6b7169203331-01-more`, undefined],
  [`ff-${TRACE}-b7ad6b7169203331-01`, undefined],
  [`00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`, undefined],
  [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  [`00-${TRACE}-b7ad6b7169203331`, undefined],
  [` 00-${TRACE}-b7ad6b7169203331-01`, undefined],
  [TRACE, undefined],
  [7, undefined],
])('%s is of the trace %s', (given, trace) => {
  expect(traceOf(given)).toBe(trace);
});
