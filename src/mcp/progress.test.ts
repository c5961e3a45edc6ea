import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from './progress.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first sentence goes out at once, the next with the next turn, the last one again and again', () => {
  const sent: [number, string][] = [];
  const progress = new Progress((count, sentence) => sent.push([count, sentence]));
  vi.advanceTimersByTime(4_000);
  progress.say('first');
  progress.say('second');
  progress.say('third');
  expect(sent).toEqual([[1, 'first']]);
  vi.advanceTimersByTime(4_999);
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(5_001);
  expect(sent).toEqual([
    [1, 'first'],
    [2, 'third'],
    [3, 'third'],
  ]);
});

test('a caller that is told nothing still hears that the call lives', () => {
  const sent: string[] = [];
  new Progress((_, sentence) => sent.push(sentence));
  vi.advanceTimersByTime(5_000);
  expect(sent).toEqual(['working']);
});

test('nothing is sent after the end', () => {
  const sent: string[] = [];
  const progress = new Progress((_, sentence) => sent.push(sentence));
  progress.stop();
  progress.say('too late');
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual([]);
});
