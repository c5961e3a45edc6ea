import { join } from 'node:path';
import { isRefusal } from '../../domain/refusal.js';
import { findRoot } from '../../workspace/files/root.js';
import { assemble } from '../assemble.js';
import { CONFIG_FILE, loadConfig } from '../config.js';
import { tryContainment } from '../doctor/containment.js';
import { tryFileSystem, tryPermissions, trySqlite, tryWatch } from '../doctor/disk.js';
import { attempt, type Finding, fail, ok } from '../doctor/finding.js';
import { tryGit, tryNode, tryStdio } from '../doctor/machine.js';
import { paint, print, printJson, safe } from '../output.js';
import { person } from '../person.js';

/** `doctor`: tries each part that Signalbox needs in this workspace. Exit code 1 where one fails. */
export async function doctor(from: string, json: boolean): Promise<void> {
  const root = findRoot(from);
  const findings: Finding[] = [];
  for (const part of isRefusal(root) ? [() => [fail('workspace', root.sentence, root.next)]] : parts(root)) {
    const found = await part();
    findings.push(...found);
    if (!json) for (const finding of found) show(finding);
  }
  const failed = findings.some(({ state }) => state === 'fail');
  if (failed) process.exitCode = 1;
  if (json) printJson({ root: isRefusal(root) ? from : root, ok: !failed, findings });
  else print(failed ? paint('red', 'Something that Signalbox needs does not work.') : 'Signalbox can work here.');
}

type Part = () => Promise<readonly Finding[]> | readonly Finding[];

/** In this order: permissions are looked at before opening the database mends them. */
function parts(root: string): readonly Part[] {
  const folder = join(root, '.signalbox');
  const mend = 'Put that right and run signalbox doctor again.';
  return [
    () => [tryNode()],
    () => attempt('git', 'Install git.', () => tryGit(root)),
    () => attempt('permissions', mend, () => tryPermissions(folder)),
    () => attempt('disk', mend, () => tryFileSystem(folder)),
    () => attempt('sqlite', 'npm rebuild better-sqlite3, or use Node 24 or newer.', () => trySqlite(folder)),
    () => attempt('config', mend, () => tryConfig(root)),
    () => attempt('workspace', mend, () => tryWorkspace(root)),
    () => attempt('run', mend, async () => tryContainment(root, folder, await containmentOf(root))),
    () => attempt('watch', mend, () => tryWatch(folder)),
    () => attempt('stdio', mend, () => tryStdio(root)),
  ];
}

async function tryConfig(root: string): Promise<Finding> {
  const config = await loadConfig(root);
  if (isRefusal(config)) return fail('config', config.sentence, config.next);
  return ok('config', `${CONFIG_FILE} is valid or absent; containment: ${config.containment}`);
}

async function containmentOf(root: string): Promise<'auto' | 'none'> {
  const config = await loadConfig(root);
  return isRefusal(config) ? 'auto' : config.containment;
}

/** Opens everything as a server does, and asks it something. */
async function tryWorkspace(root: string): Promise<Finding> {
  const assembled = await assemble({ from: root, log: () => undefined });
  if (isRefusal(assembled)) return fail('workspace', assembled.sentence, assembled.next);
  try {
    const listed = await assembled.coordinator.list(person(), {});
    if (isRefusal(listed)) return fail('workspace', listed.sentence, listed.next);
    const { seq, scopes } = await assembled.parts.store.view({}, ({ state }) => ({
      seq: state.seq,
      scopes: state.scopes.size,
    }));
    return ok('workspace', `${root}: ${seq} events, ${scopes} live scopes`);
  } finally {
    await assembled.coordinator.close();
  }
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function show({ part, state, found, remedy }: Finding): void {
  const line = safe(found.replace(/\s*\n\s*/g, ' '));
  print(`${paint(STYLES[state], state.padEnd(4))}  ${part.padEnd(18)}  ${line}`);
  if (remedy !== undefined) print(`${' '.repeat(26)}→ ${safe(remedy.replace(/\s*\n\s*/g, ' '))}`);
}
