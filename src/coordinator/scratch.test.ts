import { expect, test } from 'vitest';
import { clears } from './scratch.js';

test.each([
  ['rm -rf node_modules && npm ci', 'node_modules'],
  ['npm run stop; rm -rf ./packages/a/node_modules/', 'packages/a/node_modules'],
  ['npx rimraf "node_modules"', 'node_modules'],
  ['/bin/mv node_modules old', 'node_modules'],
  ["sh -c 'rmdir target'", 'target'],
  ['(cd web && rm -r node_modules)', 'web/node_modules'],
  ['cargo clean', 'target'],
])('%s looks as if it removed %s', (command, folder) => {
  expect(clears(command, folder)).toBe(true);
});

test.each([
  ['rm src/a.txt; ls node_modules', 'node_modules'],
  ['ls node_modules | xargs echo rm', 'node_modules'],
  ['rm -rf node_modules/.cache', 'node_modules'],
  ['rm -rf my_node_modules', 'node_modules'],
  ['npm run format', 'node_modules'],
  ['echo warm target', 'target'],
])('%s does not look as if it removed %s', (command, folder) => {
  expect(clears(command, folder)).toBe(false);
});
