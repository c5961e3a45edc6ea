import { readFileSync, unlinkSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, kept, openAnew, prepared, redone, tree, undone, workspace } from './recovery.testsuite.js';
import { edit } from './wanted.testsuite.js';

describe('promise 6: any sequence of changes', () => {
  const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'f/g/h/a'];
  const step = fc.record({
    writes: fc.uniqueArray(fc.tuple(fc.constantFrom(...PATHS), fc.option(fc.string({ maxLength: 5 }))), {
      selector: ([path]) => path,
      minLength: 1,
    }),
    fate: fc.constantFrom('applied', 'undone', 'cut off', 'discarded', 'applied and redone'),
    cut: fc.nat(),
  });

  it('is there wholly or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await openAnew();
        const model = new Map<string, string>();
        for (const { writes, fate, cut } of steps) await take(model, writes, fate, cut);
      }),
      { numRuns: 25 },
    );
  });

  async function take(model: Map<string, string>, writes: [string, string | null][], fate: string, cut: number) {
    const wanted = writes
      .filter(([path, next]) => next !== null || model.has(path))
      .map(([path, next]) => edit(path, model.get(path) ?? null, next));
    const change = await prepared(...wanted);
    expect(workspace.verify(change)).toEqual([]);
    const stopper = change.files.filter(({ after }) => after !== null).at(cut % 3);
    if (fate === 'discarded') await workspace.discard(change);
    else if (fate === 'cut off' && stopper?.temp !== undefined) {
      unlinkSync(at(stopper.temp));
      expect(() => workspace.apply(change)).toThrow();
      expect(undone(change)).toEqual([]);
    } else {
      workspace.apply(change);
      if (fate === 'undone' || fate === 'cut off') expect(undone(change)).toEqual([]);
      else
        for (const { path, bytes } of wanted)
          bytes === null ? model.delete(path) : model.set(path, Buffer.from(bytes).toString());
      if (fate === 'applied and redone') expect(redone(change)).toEqual([]);
      const work = workspace.finish(change, () => expect.unreachable('nobody saved'));
      await workspace.flush();
      await work;
    }
    const files = Object.entries(tree()).filter(([, content]) => content !== 'folder');
    expect(new Map(files.map(([path]) => [path, readFileSync(at(path), 'utf8')]))).toEqual(new Map([...model].sort()));
    expect(kept()).toEqual([]);
  }
});
