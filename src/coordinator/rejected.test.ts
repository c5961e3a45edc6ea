import { expect, test } from 'vitest';
import { grouped, SHOWN, wholeList, withoutHandles } from './rejected.js';

const held = (path: string) => ({ path, reason: `HELD: ${path} is held by S002. Wait for ${path}.` });
const many = Array.from({ length: 3_000 }, (_, at) => held(`other/f${at}`));

test('promise 12: few are told one by one, many by their reasons, and never more than twenty', () => {
  const few = many.slice(0, SHOWN);
  expect(grouped(few)).toEqual(few);
  const link = { path: 'link', reason: 'INVALID: a link' };
  expect(grouped([...many, link])).toEqual([
    {
      path: 'other/f0',
      reason: 'HELD: other/f0 is held by S002. Wait for other/f0. (the same: other/f1, other/f2 and 2997 more)',
    },
    link,
  ]);
  const all = Array.from({ length: 50 }, (_, at) => ({ path: `f${at}`, reason: `reason ${at}` }));
  expect(grouped(all)).toEqual(all.slice(0, SHOWN));
});

test('a name that is no plain text can not pass for a line of the answer', () => {
  const odd = ['a', 'b\nRejected'].map((path) => ({ path, reason: 'INVALID: it' }));
  const rest = Array.from({ length: SHOWN }, (_, at) => ({ path: `f${at}`, reason: `${at}` }));
  expect(grouped([...odd, ...rest])[0]?.reason).toBe('INVALID: it (the same: "b\\nRejected")');
});

test('promise 12: the whole list has each path, as far as it is bounded', () => {
  const text = wholeList([...many.slice(0, 2), { path: 'link', reason: 'INVALID: a link' }]);
  expect(text).toBe('HELD: … is held by S002. Wait for ….\n  other/f0\n  other/f1\nINVALID: a …\n  link\n');
  const long = wholeList(Array.from({ length: 20_000 }, (_, at) => held(`other/${at}${'x'.repeat(100)}`)));
  expect(long.length).toBeLessThan(1_100_000);
  const shown = long.match(/^ {2}other/gm)?.length ?? 0;
  expect(long.endsWith(`\n${20_000 - shown} more\n`)).toBe(true);
});

test('promise 2: no handle is in what everybody may read', () => {
  const reason = 'claim_scope {"scope":"S001-k7f3q2","units":["a"]} and S0002';
  expect(withoutHandles(reason)).toBe('claim_scope {"scope":"S001","units":["a"]} and S0002');
});
