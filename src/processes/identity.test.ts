import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { fateOf, processMark } from './identity.js';

test('a mark tells whether its process lives, and not one that got its number later', async () => {
  const child = spawn('sleep', ['60']);
  const mark = processMark(child.pid ?? 0) ?? '';
  expect(fateOf(mark)).toBe('alive');
  expect(fateOf(mark.replace(/ \S+ /, ' 1 '))).toBe('gone');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(fateOf(mark)).toBe('gone');
});

test('of another PID namespace nothing is known', () => {
  expect(fateOf('1 1 pid:[1]')).toBe('unknown');
});
