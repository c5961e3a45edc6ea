import { expect, test } from 'vitest';
import { isReserved } from './agent-name.js';
import { commandAgent } from './command-scope.js';

test.each(['signalbox', 'Signalbox', ' outside ', 'recovery', commandAgent('ada'), 'ada (RUN) '])(
  'nobody may go by the name "%s"',
  (name) => {
    expect(isReserved(name)).toBe(true);
  },
);

test.each(['ada', 'signalbox/thread-1', 'signalbox-dev', 'outsider', 'ada (run) again'])('"%s" is a name', (name) => {
  expect(isReserved(name)).toBe(false);
});
