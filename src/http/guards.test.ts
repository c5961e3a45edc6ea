import { expect, test } from 'vitest';
import { allowedHosts, allowedOrigin, bearerToken, hasTokenInUrl, hostNames, isJson, isLoopback } from './guards.js';

const hosts = allowedHosts(['Box.example', 'proxy.example:8443'], 3900);

test('only known names are served, each bare or with the port', () => {
  const served = [
    'localhost:3900',
    '127.0.0.1:3900',
    '[::1]:3900',
    'localhost',
    'box.example',
    'box.example:3900',
    'proxy.example:8443',
  ];
  expect(served.filter((host) => !hosts.has(host))).toEqual([]);
  const foreign = [
    'evil.example',
    'evil.example:3900',
    'localhost:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
  ];
  expect(foreign.filter((host) => hosts.has(host))).toEqual([]);
});

test('only pages of this server may call', () => {
  expect(allowedOrigin(undefined, hosts)).toBe(true);
  expect(allowedOrigin('http://localhost:3900', hosts)).toBe(true);
  expect(allowedOrigin('https://Box.example', hosts)).toBe(true);
  const foreign = [
    'null',
    '',
    'https://evil.example',
    'http://localhost:3000',
    'file://',
    'http://localhost:3900@evil.example',
    'http://localhost:3900/',
  ];
  expect(foreign.filter((origin) => allowedOrigin(origin, hosts))).toEqual([]);
});

test('a token comes in the Authorization header and nowhere else', () => {
  expect(bearerToken('Bearer abc.def')).toBe('abc.def');
  expect(bearerToken('bearer  abc')).toBe('abc');
  const others = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'Bearer a b',
    'Bearer a\u00e9',
    `Bearer ${'a'.repeat(513)}`,
  ];
  expect(others.map(bearerToken)).toEqual(others.map(() => undefined));
  expect(hasTokenInUrl('http://localhost/mcp?access_token=abc')).toBe(true);
  expect(hasTokenInUrl('http://localhost/mcp?Token=abc')).toBe(true);
  expect(hasTokenInUrl('http://localhost/mcp?status=open')).toBe(false);
});

test('a body is JSON only if it says so', () => {
  expect(['application/json', 'Application/JSON; charset=utf-8'].every(isJson)).toBe(true);
  const others = [
    undefined,
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data; x=application/json',
  ];
  expect(others.filter(isJson)).toEqual([]);
});

test('a server on all addresses is named by the one for this machine, any other by its own', () => {
  expect(hostNames('0.0.0.0', '0.0.0.0')).toEqual(['127.0.0.1']);
  expect(hostNames('0', '0.0.0.0')).toEqual(['127.0.0.1']);
  expect(hostNames('::', '::')).toEqual(['[::1]']);
  expect(hostNames('fe80::1', 'fe80::1')[0]).toBe('[fe80::1]');
  expect(hostNames('box', '10.0.0.7')).toEqual(['box', '10.0.0.7']);
});

test('only loopback addresses are for this machine alone', () => {
  expect(['localhost', '127.0.0.1', '127.1', '::1'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['0.0.0.0', '::', '10.0.0.7', '127.example'].map(isLoopback)).toEqual([false, false, false, false]);
});
