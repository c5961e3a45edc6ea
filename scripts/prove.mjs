// `npm run prove -- --minutes 10`: the proofs of the promises, for as long as is given, and a page of what was reached.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeReady, root } from './ready.mjs';

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '10' } },
  allowPositionals: true,
});
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 24 * 60)) {
  console.error(`--minutes takes a number from 0.1 to 1440, not ${values.minutes}.`);
  process.exit(2);
}
makeReady();
const folder = mkdtempSync(join(tmpdir(), 'signalbox-prove-'));
const report = join(folder, 'report');
const since = performance.now();
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.prove.config.ts', ...positionals],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PROVE_MINUTES: String(minutes), PROVE_REPORT: report } },
);
console.log(page(existsSync(report) ? readFileSync(report, 'utf8') : ''));
rmSync(folder, { recursive: true, force: true });
const took = ((performance.now() - since) / 60_000).toFixed(1);
console.log(
  status === 0 ? `Every promise held, for ${took} minutes.` : `A promise was broken; see above (${took} minutes).`,
);
process.exit(status ?? 1);

function page(text) {
  const parts = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return parts.map(({ part, counts }) => [`\n${part}`, ...counts.map(row)].join('\n')).join('\n');
}

function row([what, times]) {
  return `  ${times.toLocaleString('en').padStart(12)}  ${what}`;
}
