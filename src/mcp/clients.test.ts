import { expect, test } from 'vitest';
import { patience, textOnly } from './clients.js';

test.each([
  ['claude-code', 'stdio', false, 1_800],
  ['claude-code', 'http', true, 45],
  ['codex-mcp-client', 'stdio', false, 240],
  ['codex-mcp-client', 'http', false, 240],
  ['gemini-cli-mcp-client', 'stdio', true, 500],
  ['gemini-cli-mcp-client-signalbox', 'stdio', false, 500],
  ['opencode', 'stdio', true, 600],
  ['opencode', 'stdio', false, 45],
  ['cursor-vscode', 'stdio', true, 45],
  ['not-claude-code', 'stdio', true, 45],
] as const)('a call of %s over %s (progress: %s) may block %i s', (client, transport, progress, seconds) => {
  expect(patience(client, transport, progress)).toBe(seconds * 1_000);
});

test('Claude Code and Codex get text only', () => {
  const clients = ['claude-code', 'codex-mcp-client', 'gemini-cli-mcp-client', 'opencode', 'agent'];
  expect(clients.filter(textOnly)).toEqual(['claude-code', 'codex-mcp-client']);
});
