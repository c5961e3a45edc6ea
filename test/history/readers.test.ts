import { expect, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { nextApplying } from './moments.js';

const PATCHES = 80;
/** What lies between the two that are read is changed too, so that they are far apart while a patch is applied. */
const PATHS = ['first.txt', ...Array.from({ length: 8 }, (_, at) => `g${at}.txt`), 'last.txt'];

test('promise 6: whoever reads two files during a storm of patches never sees one before and one after a patch', async () => {
  const files = Object.fromEntries(PATHS.map((path) => [path, '0\n']));
  const { root, text } = newWorkspace(files);
  const server = await serve(root);
  const [writer, ...readers] = await Promise.all([
    stdioAgent(root, 'ada'),
    stdioAgent(root, 'ben', 'modern'),
    httpAgent(server, 'cleo', 'legacy'),
    httpAgent(server, 'dan', 'modern'),
  ]);
  const { scope } = await writer.ok('claim_scope', { title: 'Count', units: ['./'] });

  const storm = new AbortController();
  const watching = readers.map((reader) => watch(reader, storm.signal));
  for (let count = 1; count <= PATCHES; count++) {
    const edits = PATHS.map((path) => ({ path, old_string: `${count - 1}\n`, new_string: `${count}\n` }));
    await writer.ok('patch', { scope, edits });
  }
  storm.abort();

  for (const { pairs, busy } of await Promise.all(watching)) {
    expect(pairs.filter(([first, last]) => first !== last)).toEqual([]);
    const counts = pairs.map(([first]) => Number(first));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size, 'many states were seen').toBeGreaterThan(PATCHES / 10);
    expect(busy, 'reading gets through').toBeLessThan(pairs.length / 10);
  }
  expect(text('first.txt')).toBe(`${PATCHES}\n`);
});

test.each([
  { what: 'one file', look: (paths: readonly string[]) => paths.slice(0, 1) },
  { what: 'many', look: (paths: readonly string[]) => paths },
])(
  'promise 6: after a server was killed half-way through a patch, whoever only reads ($what) sees nothing of it',
  async ({ look }) => {
    const sets = Array.from({ length: 8 }, (_, set) => PATHS.map((path) => `set${set}/${path}`));
    const { root, store } = newWorkspace(Object.fromEntries(sets.flat().map((path) => [path, '0\n'])));
    const reader = await stdioAgent(root, 'ben');
    await reader.ok('read', { paths: ['set0/first.txt'] });
    const ledger = await store();

    for (const paths of sets) {
      const writer = await stdioAgent(root, 'ada');
      await writer.ok('list_scopes');
      const edits = paths.map((path) => ({ path, old_string: '0\n', new_string: '1\n' }));
      const patched = writer.call('patch', { edits }).catch(() => undefined);
      await nextApplying(root, patched);
      writer.signal('SIGKILL');
      await writer.closed;
      await patched;
      // Where it came too early or too late, the next set is for the next attempt.
      const isCutOff = ledger.applying().length > 0;
      const { files } = await reader.ok('read', { paths: look(paths) });
      const texts = new Set(files.map(({ text }: { text: string }) => text));
      expect([...texts]).toEqual(isCutOff ? ['0\n'] : [expect.any(String)]);
      if (isCutOff) return;
      await reader.ok('open_scope', { title: 'Undoes it' });
    }
    throw new Error('no patch was cut off half-way');
  },
);

/** Reads both files over and over. */
async function watch(reader: Agent, signal: AbortSignal): Promise<{ pairs: string[][]; busy: number }> {
  const pairs: string[][] = [];
  let busy = 0;
  while (!signal.aborted) {
    const answer = await reader.call('read', { paths: ['first.txt', 'last.txt'] });
    if (answer.text.startsWith('BUSY: ')) busy += 1;
    else pairs.push(answer.data.files.map((file: { text: string }) => file.text));
  }
  return { pairs, busy };
}
