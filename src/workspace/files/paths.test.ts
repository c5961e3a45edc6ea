import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { canonical } from './paths.js';
import { protectedName } from './protected.js';

const ROOTS = ['/repo', '/home/me/repo'];

function code(path: string): string {
  const answer = canonical(path, ROOTS);
  return isRefusal(answer) ? answer.code : `accepted as ${answer}`;
}

describe('promise 9: a path is judged before any disk is asked', () => {
  it.each([
    ['../x', 'OUTSIDE'],
    ['a/../../x', 'OUTSIDE'],
    ['a/..', 'OUTSIDE'],
    ['..', 'OUTSIDE'],
    ['/etc/passwd', 'OUTSIDE'],
    ['/repo-evil/x', 'OUTSIDE'],
    ['/repo/../etc/passwd', 'OUTSIDE'],
    ['/', 'OUTSIDE'],
    ['C:/x', 'OUTSIDE'],
    ['..\\x', 'INVALID'],
    ['C:\\x', 'INVALID'],
    ['\\\\host\\x', 'INVALID'],
    ['a\0b', 'INVALID'],
    ['a\nb', 'INVALID'],
    ['a\u001b[31m', 'INVALID'],
    ['a\u202egpj.exe', 'INVALID'],
    ['a\u2066b', 'INVALID'],
    ['a\u200bb', 'INVALID'],
    ['.g\u200cit/config', 'INVALID'],
    ['\ufeffa', 'INVALID'],
    ['a\ud800b', 'INVALID'],
    ['a\u{e0041}', 'INVALID'],
    ['', 'INVALID'],
    [`${'a/'.repeat(2_048)}b`, 'INVALID'],
    ['a/'.repeat(129), 'INVALID'],
    ['a'.repeat(256), 'INVALID'],
    ['é'.repeat(128), 'INVALID'],
  ])('refuses %j', (path, expected) => {
    expect(code(path)).toBe(expected);
  });

  it.each([
    ['src/a.ts', 'src/a.ts'],
    ['/repo/src/a.ts', 'src/a.ts'],
    ['/home/me/repo/src/a.ts', 'src/a.ts'],
    ['/repo', '.'],
    ['/repo/', '.'],
    ['.', '.'],
    ['./', '.'],
    ['a//b', 'a/b'],
    ['a/./b', 'a/b'],
    ['src/', 'src'],
    ['..a/b..', '..a/b..'],
    ['...', '...'],
    ['a b/ü.ts', 'a b/ü.ts'],
    ['%2e%2e/x', '%2e%2e/x'],
    ['-rf', '-rf'],
    ['__proto__/constructor', '__proto__/constructor'],
  ])('takes %j', (path, expected) => {
    expect(canonical(path, ROOTS)).toBe(expected);
  });

  it('shows a hostile name without printing what is hostile in it', () => {
    const answer = canonical('a\u202e\u001b[2J', ROOTS);
    expect(isRefusal(answer) && answer.sentence).toBe(
      'The path "a\\u202e\\u001b[2J" holds a control, invisible or direction-changing character.',
    );
  });
});

describe('promise 9: protected names, existing or not', () => {
  it.each([
    '.git/config',
    '.git',
    '.GIT/hooks/pre-commit',
    'vendor/lib/.git/config',
    '.signalbox/db',
    'packages/a/.Signalbox/x',
    'signalbox.yaml',
    '.mcp.json',
    'mcp.json',
    'sub/.mcp.json',
    '.claude/settings.json',
    'packages/a/.claude/agents/x.md',
    '.cursor/mcp.json',
    '.VSCode/tasks.json',
    '.v\u017fcode/tasks.json',
    '.codex/config.toml',
    '.gemini/settings.json',
    'src/.signalbox-0123456789abcdef~',
  ])('protects %s', (path) => {
    expect(protectedName(path, [])).toBeDefined();
  });

  it.each(['.gitignore', 'src/git/a.ts', '.github/workflows/ci.yaml', 'claude/a', 'src/mcp.json.ts', '.claudeignore'])(
    'leaves %s',
    (path) => {
      expect(protectedName(path, [])).toBeUndefined();
    },
  );

  it('makes exceptions of the paths named and what lies below, but never of .git and .signalbox', () => {
    expect(protectedName('.vscode/settings.json', ['.vscode/'])).toBeUndefined();
    expect(protectedName('.vscode', ['./.vscode'])).toBeUndefined();
    expect(protectedName('.vscode/tasks.json', ['.vscode/settings.json'])).toBe('.vscode');
    expect(protectedName('a/.vscode/settings.json', ['.vscode'])).toBe('.vscode');
    expect(protectedName('.git/config', ['.git', '.git/config'])).toBe('.git');
    expect(protectedName('.signalbox/db', ['.signalbox/'])).toBe('.signalbox');
  });
});
