import { describe, expect, test } from 'vitest';
import { seatbeltProfile } from './profile.js';

const allowed = {
  root: '/Users/u/my "work"',
  writable: ['/Users/u/my "work"/src'],
  sealed: ['.git', '.mcp.json'],
  hidden: ['/Users/u/my "work"/.signalbox', '/Users/u/.ssh'],
  own: '/Users/u/my "work"/.signalbox/layers/R1/own',
  network: false,
  sockets: [] as readonly string[],
};

/** The rules in order: of two that match, the later one counts. */
const rules = (more: Partial<typeof allowed> = {}): string[] =>
  seatbeltProfile({ ...allowed, ...more })
    .trim()
    .split('\n');

describe('promise 9: the profile for macOS (generated here, not tried on a Mac)', () => {
  test('everything is denied before anything is allowed', () => {
    expect(rules().slice(0, 2)).toEqual(['(version 1)', '(deny default)']);
    expect(rules().filter((rule) => rule.startsWith('(allow default'))).toEqual([]);
  });

  test('only claimed folders and its own one may be written, and paths are quoted', () => {
    expect(rules().filter((rule) => /allow.*file-write\*/.test(rule))).toEqual([
      String.raw`(allow file-write* (subpath "/Users/u/my \"work\"/src"))`,
      String.raw`(allow file-read* file-write* (subpath "/Users/u/my \"work\"/.signalbox/layers/R1/own"))`,
    ]);
  });

  test('a granted socket may be connected to, and no other', () => {
    const socket = '/Users/u/.docker/run/docker.sock';
    expect(rules({ sockets: [socket] }).filter((rule) => rule.includes('network-outbound'))).toEqual([
      `(allow network-outbound (literal "${socket}"))`,
    ]);
  });

  test('what is denied comes after what is allowed, and its own folder last', () => {
    const order = rules()
      .slice(-6)
      .map((rule) => rule.split(' (')[0]);
    expect(order).toEqual([
      '(allow file-write*',
      '(deny file-write-unlink',
      '(deny file-write*',
      '(deny file-read* file-write*',
      '(deny file-read* file-write*',
      '(allow file-read* file-write*',
    ]);
  });

  test.each([
    ['/Users/u/my "work"/.git/config', true],
    ['/Users/u/my "work"/src/sub/.GIT', true],
    ['/Users/u/my "work"/src/.mcp.json', true],
    ['/Users/u/my "work"/src/xmcp.json', false],
    ['/Users/u/my "work"/src/.gitignore', false],
    ['/Users/u/my "work"/src/.mcpXjson', false],
    ['/elsewhere/.git', false],
  ])('protected names: %s', (path, sealed) => {
    const rule = rules().find((line) => line.startsWith('(deny file-write* (regex'));
    const text = /#"(.*)"\)\)$/.exec(rule ?? '')?.[1] ?? '';
    expect(new RegExp(text).test(path)).toBe(sealed);
  });

  test('the network is closed unless it is asked for; sockets with a path always', () => {
    expect(rules().filter((rule) => rule.includes('network'))).toEqual([]);
    const open = rules({ network: true }).filter((rule) => rule.includes('network-outbound'));
    expect(open).toEqual([
      '(allow network-outbound (remote ip))',
      '(allow network-outbound (literal "/private/var/run/mDNSResponder"))',
    ]);
  });
});
