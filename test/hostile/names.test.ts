import { expect, test } from 'vitest';
import { serve, stdioAgent } from '../support/agents.js';
import { program } from '../support/rest.js';
import { newWorkspace } from '../support/workspace.js';

test('promise 8: nobody acts in the name of Signalbox, of what people do around it, or of a command', async () => {
  const workspace = newWorkspace();
  const served = await serve(workspace.root);
  for (const agent of ['signalbox', 'Outside', 'recovery', 'ada (run)']) {
    const forged = program(served, { agent });
    const { body } = await forged.refused(400, 'INVALID', 'declareScopes', { body: { title: 'Forged' } });
    expect(body.detail).toContain('no name of Signalbox itself');
  }
  const client = await stdioAgent(workspace.root, 'signalbox');
  const { id } = await client.ok('open_scope', { title: 'Honest' });
  expect((await program(served).ok('getScope', { params: { id } })).body.opened_by).toBe('agent');
  expect((await workspace.events()).flatMap(({ body }) => (body.type === 'scope.opened' ? [body.by] : []))).toEqual([
    'agent',
  ]);
});
