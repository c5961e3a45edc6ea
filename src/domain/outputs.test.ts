import { expect, test } from 'vitest';
import { newest, tooMuch } from './outputs.js';
import { got, World } from './scenario.testsuite.js';

test('promise 12: a publication bears so many artifacts and bytes, and its scope so many in all', () => {
  const world = new World({ maxArtifacts: 2, maxScopeArtifacts: 3, maxArtifactBytes: 10 });
  const alice = world.agent('alice');
  const { id } = got(alice.claim(['a.ts']));
  const check = (artifacts: number, bytes: number, had = 0) => {
    const artifact = { id: 'A001', type: 'file', hash: 'h' };
    const own = { ...world.scope(id), artifacts: Array.from({ length: had }, () => artifact) };
    return tooMuch(own, { artifacts, bytes }, world.settings);
  };
  expect([check(2, 10), check(2, 0, 1), check(0, 0, 3)]).toEqual([undefined, undefined, undefined]);
  expect(check(3, 0)).toMatchObject({ code: 'LIMIT', facts: { limit: 2, given: 3 } });
  expect(check(2, 0, 2)).toMatchObject({ code: 'LIMIT', facts: { limit: 3, given: 4 } });
  expect(check(1, 11)).toMatchObject({ code: 'LIMIT', facts: { limit: 10, given: 11 } });
});

test('of what was published again at the same path as the same type, only the newest counts', () => {
  const of = (id: string, type: string, path?: string) => ({ id, type, ...(path === undefined ? {} : { path }) });
  const all = [of('A1', 'file', 'a'), of('A2', 'note'), of('A3', 'spec', 'a'), of('A4', 'file', 'a'), of('A5', 'note')];
  expect(newest(all).map(({ id }) => id)).toEqual(['A2', 'A3', 'A4', 'A5']);
});
