import { expect, test } from 'vitest';
import { type Disk, patientDisk } from './patient-disk.js';
import { parseProduces, parseUnits } from './units.js';

/** A disk that notes each look at it, with the turn of the event loop in which it came. */
function watched(): { disk: Disk; looks: string[]; turns: number[]; stop: () => void } {
  const looks: string[] = [];
  const turns: number[] = [];
  let turn = 0;
  let next = setImmediate(function again() {
    turn += 1;
    next = setImmediate(again);
  });
  const look = (path: string) => {
    looks.push(path);
    turns.push(turn);
  };
  const disk: Disk = {
    folds: false,
    resolve: async (path) => {
      look(path);
      return path;
    },
    isFolder: (path) => {
      look(`${path} a folder?`);
      return false;
    },
  };
  return { disk, looks, turns, stop: () => clearImmediate(next) };
}

test('each path is looked up once, whoever names it', async () => {
  const { disk, looks, stop } = watched();
  const patient = patientDisk(disk);
  for (let scope = 0; scope < 3; scope++) {
    await parseUnits(patient, ['a.ts', 'b.ts', 'a.ts']);
    await parseProduces(patient, ['b.ts']);
  }
  stop();
  expect(looks).toEqual(['a.ts', 'a.ts a folder?', 'b.ts', 'b.ts a folder?']);
});

test('promise 12: others have their turn after a hundred paths', async () => {
  const { disk, turns, stop } = watched();
  await parseUnits(
    patientDisk(disk),
    Array.from({ length: 1_000 }, (_, at) => `${at}.ts`),
  );
  stop();
  // Each path is two looks, and the hundredth is looked at once more before the turn ends.
  expect(turns).toHaveLength(2_000);
  expect(turns.filter((turn, at) => turn === turns[at - 201])).toEqual([]);
});
