import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { EventBody } from '../../domain/event.js';
import { canonical, link } from './chain.js';

test('the same value has one text, whatever the order of its keys', () => {
  expect(canonical({ b: [1, { d: null, c: 'ü"\n' }], a: undefined, A: true })).toBe(
    '{"A":true,"b":[1,{"c":"ü\\"\\n","d":null}]}',
  );
  expect(canonical({ z: 1, a: 2 })).toBe(canonical({ a: 2, z: 1 }));
});

test('half a character and NUL become the replacement character, and whole ones stay', () => {
  expect(canonical(['\ud800', 'a\0', '😀', '\\ud800'])).toBe('["\ufffd","a\ufffd","😀","\\\\ud800"]');
});

test('promise 8: anyone can recompute the link of an event from the event alone', () => {
  const body: EventBody = { type: 'scope.lapsed', scope: 'S001', reason: 'no call', to: 'open' };
  const event = { seq: 7, at: 10, wall: 20, agent: 'a"b', connection: 'c', body };
  const expected = createHash('sha256')
    .update(`former${canonical(event)}`)
    .digest('hex');
  expect(link('former', event, canonical(body))).toBe(expected);
});
