import { describe, expect, it } from 'vitest';
import { type CharClass, charsMeet, countWildcards, expandBraces, isGlob, parseSegment, STAR } from './glob.js';

const ANY: CharClass = { not: true, members: '' };

describe('braces', () => {
  it.each<[string, string[]]>([
    ['src', ['src']],
    ['{a,b}', ['a', 'b']],
    ['x{a,b}y{c,d}', ['xayc', 'xayd', 'xbyc', 'xbyd']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd']],
    ['a{,b}', ['a', 'ab']],
    ['a{b}', ['ab']],
    ['a{', ['a{']],
    ['a}', ['a}']],
    ['{a,b', ['{a,b']],
    ['{{a,b}', ['{a', '{b']],
    ['{a,b}}', ['a}', 'b}']],
    ['a,b', ['a,b']],
    ['{a/b,c}/d', ['a/b/d', 'c/d']],
  ])('%s is %j', (text, alternatives) => expect(expandBraces(text, 32)).toEqual(alternatives));

  it('promise 12: no more than the limit, however they are nested', () => {
    expect(expandBraces('{a,b}{a,b}', 4)).toHaveLength(4);
    expect(expandBraces('{a,b}{a,b}', 3)).toBeUndefined();
    expect(expandBraces('{a,b,c,d}', 3)).toBeUndefined();
    expect(expandBraces('{a,{b,c,d,e}}', 3)).toBeUndefined();
    expect(expandBraces('x{a,b}{c,d,e,f}', 3)).toBeUndefined();
    expect(expandBraces('{a,b}'.repeat(100), 32)).toBeUndefined();
  });
});

it.each([
  ['src/a.ts', false, 0],
  ['*', true, 1],
  ['**/*.ts', true, 2],
  ['?', true, 1],
  ['[a]', true, 1],
  [']', true, 0],
  ['{a}', true, 0],
  ['}', true, 0],
  ['a?*[b]*', true, 4],
])('%s is a glob: %s, with %i wildcards', (text, glob, wildcards) => {
  expect(isGlob(text)).toBe(glob);
  expect(countWildcards(text)).toBe(wildcards);
});

it.each([
  ['abc', false, 'abc'],
  ['Abc', true, 'ABC'],
  ['**', false, STAR],
  ['***', false, STAR],
  ['*', false, [STAR]],
  ['a**b', false, ['a', STAR, 'b']],
  ['?b*', true, [ANY, 'B', STAR]],
  ['[ab]', false, [{ not: false, members: 'ab' }]],
  ['[a-c_]', false, [{ not: false, members: 'abc_' }]],
  ['[!a]', false, [{ not: true, members: 'a' }]],
  ['[^a-b]', false, [{ not: true, members: 'ab' }]],
  ['[!]', false, [{ not: false, members: '!' }]],
  ['[a-]', false, [{ not: false, members: 'a-' }]],
  ['[-a]', false, [{ not: false, members: '-a' }]],
  ['[c-a]', false, [{ not: false, members: 'c-a' }]],
  ['[Y-b]', true, [{ not: false, members: 'YZ[\\]^_`AB' }]],
  ['[é]', false, [{ not: false, members: 'é' }]],
  ['[a-é]', false, [ANY]],
  ['[!α-ω]', false, [ANY]],
  ['[]', false, ['[', ']']],
  ['[ab', false, ['[', 'a', 'b']],
  ['?é', false, [ANY, 'é']],
  ['?e\u0301', false, [ANY, 'é']],
  ['?😀', false, [ANY, '😀']],
])('the name %s, folding: %s', (name, folds, segment) => expect(parseSegment(name, folds)).toEqual(segment));

describe('two characters or classes meet', () => {
  const only = (members: string): CharClass => ({ not: false, members });
  const but = (members: string): CharClass => ({ not: true, members });
  it.each<[string | CharClass, string | CharClass, boolean]>([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', only('ab'), true],
    ['c', only('ab'), false],
    ['a', but('a'), false],
    ['b', ANY, true],
    [only('ab'), only('bc'), true],
    [only('ab'), only('cd'), false],
    [only('ab'), but('a'), true],
    [only('ab'), but('abc'), false],
    [but('abc'), but('def'), true],
    [ANY, ANY, true],
  ])('%j and %j: %s', (a, b, meet) => {
    expect(charsMeet(a, b)).toBe(meet);
    expect(charsMeet(b, a)).toBe(meet);
  });
});
