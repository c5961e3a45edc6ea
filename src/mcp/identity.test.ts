import { expect, test } from 'vitest';
import { identify, nameOf } from './identity.js';

const trace = '0af7651916cd43dd8448eb211c80319c';

test('the agent is the client, or the subagent that it names', () => {
  expect(identify({}, 'claude-code', 'c1')).toEqual({ connection: 'c1', agent: 'claude-code' });
  expect(identify(undefined, undefined, 'c1').agent).toBe('agent');
  expect(identify({ threadId: '0199-a' }, 'codex-mcp-client', 'c1').agent).toBe('codex-mcp-client/0199-a');
  expect(identify({ 'claudecode/agentId': 'x1' }, 'claude-code', 'c1').agent).toBe('claude-code/x1');
  expect(identify({ 'vscode.conversationId': 'v' }, 'vscode', 'c1').agent).toBe('vscode/v');
});

test('a name from outside stays a name: one line, bounded, of the right type', () => {
  expect(nameOf('evil\n\u001b[31m/S001')).toBe('evil31mS001');
  expect(nameOf('x'.repeat(500))).toHaveLength(100);
  expect(nameOf('\u202e')).toBe('agent');
  expect(nameOf('Signalbox')).toBe('agent');
  expect(identify({ threadId: { toString: () => 'x' } }, 'codex', 'c1').agent).toBe('codex');
});

test('the trace id is taken from a traceparent that is one', () => {
  expect(identify({ traceparent: `00-${trace}-b7ad6b7169203331-01` }, 'a', 'c').trace).toBe(trace);
  expect(identify({ traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }, 'a', 'c').trace).toBeUndefined();
  expect(identify({ traceparent: 'nonsense' }, 'a', 'c').trace).toBeUndefined();
});
