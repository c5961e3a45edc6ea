import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, writeFileSync, readdirSync } from 'node:fs';
import { test } from 'vitest';
import { openRunner } from './open.js';
test('try', async () => {
  const base = mkdtempSync('/tmp/sb-');
  process.env['HOME'] = base + '/home'; mkdirSync(base + '/home/.ssh', { recursive: true }); writeFileSync(base + '/home/.ssh/id', 'x');
  const root = base + '/w'; mkdirSync(root);
  execFileSync('git', ['init', '-q'], { cwd: root }); mkdirSync(root + '/src'); writeFileSync(root + '/src/a.ts', 'a\n');
  const r = await openRunner({ root, folder: root + '/.signalbox' });
  console.log(await r.levels());
  const run = await r.start({ id: 'R001', command: process.env['CMD'] ?? 'id; ls -la ~ ~/.ssh; echo b > src/b; sed -i s/a/x/ src/a.ts; git status; node -v; echo hi > /dev/stderr', cwd: '.', env: { A: '1' }, timeout: 10000, writable: [], scratch: [], network: true });
  if ('refused' in run) { console.log(run); return; }
  console.log(await run.ended); console.log((await run.output()).text); console.log(await run.written());
  await run.dispose(); console.log(readdirSync(root + '/.signalbox/layers'));
});
