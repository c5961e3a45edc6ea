import { describe, expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { LEVELS } from '../support/tools.js';
import { newWorkspace } from '../support/workspace.js';

const IGNORED = 'node_modules/\n';
const FILES = { '.gitignore': IGNORED, 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', 'other/o.txt': 'o\n', 't.txt': 't\n' };

function manyFiles(folder: string, count: number): { [path: string]: string } {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/f${at}.txt`, 'x\n']));
}

const transactional = LEVELS.includes('transactional');

describe.skipIf(!transactional)('what was rejected', () => {
  test('promise 12: is told in groups, at most twenty, and kept whole beside the run', async () => {
    const { root } = newWorkspace({ '.gitignore': IGNORED, ...manyFiles('many', 3_000), 'o.txt': 'o\n' });
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const command = 'sed -i s/x/y/ many/*; ln -s x link';
    const { text, data: ran } = await ada.call('run', { command });
    expect(JSON.stringify(ran).length).toBeLessThan(5_000);
    expect(ran.rejected).toEqual([
      { path: 'link', reason: expect.stringMatching(/^INVALID: symbolic links/) },
      {
        path: 'many/f0.txt',
        reason: expect.stringMatching(/^NOT_CLAIMED: .*\(the same: many\/f1\.txt, .* and 2997 more\)$/),
      },
    ]);
    expect(ran.more_rejected).toBe(2_999);
    expect(text).toContain(`\n  2999 more\nKept: all that was rejected artifact:${ran.rejections.slice(0, 10)}\n`);
    const list = (await ben.ok('read', { paths: [`artifact:${ran.rejections}`] })).files[0];
    expect(list).toMatchObject({ total_lines: 3_003, truncated: true });
    const end = (await ben.ok('read', { paths: [`artifact:${ran.rejections}:3002-3003`] })).files[0];
    expect(end.text).toBe('  many/f998.txt\n  many/f999.txt\n');
    const { rejected, more_rejected, rejections } = await ben.ok('run', { run: ran.run });
    expect({ rejected, more_rejected, rejections }).toEqual({
      rejected: ran.rejected,
      more_rejected: 2_999,
      rejections: ran.rejections,
    });
  });

  test('promise 2: tells everybody why, and nobody the handle', async () => {
    const { root, events } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('claim_scope', { title: 'Bens', units: ['other/'] });
    const { scope, id } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
    const ran = await ada.ok('run', { scope, command: 'echo x > other/o.txt' });
    expect(ran.rejected[0].reason).toContain(scope);
    await ada.close();
    const seen = await ben.ok('run', { run: ran.run });
    expect(seen.rejected[0].reason).toContain(`claim_scope {"scope":"${id}",`);
    expect(JSON.stringify([seen, await events()])).not.toContain(scope);
  });
});
