import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doubleName } from './double-name.js';

test.each([
  ['{"a":1,"b":2,"a":3}', 'a'],
  ['{"a":{"x":1},"b":[{"x":1},{"x":2,"y":0,"x" \n:3}]}', 'x'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"a\\\\":1,"a":2,"a\\\\":3}', 'a\\'],
  ['{"":1,"":2}', ''],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"a":"a","b":["a","a",{"a":"\\"a\\":1,"}]}', undefined],
  ['"a"', undefined],
  ['[]', undefined],
])('%s has %j twice', (json, name) => {
  expect(doubleName(json)).toBe(name);
});

test('no object that was made as one has a name twice, and one with a name added again has', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { minKeys: 1 }), (object) => {
      const json = JSON.stringify(object, null, 1);
      expect(doubleName(json)).toBeUndefined();
      const [name = ''] = Object.keys(object);
      expect(doubleName(`${json.slice(0, -1)},${JSON.stringify(name)}:0}`)).toBe(name);
    }),
  );
});
