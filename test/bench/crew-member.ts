import { setTimeout } from 'node:timers/promises';
import { attach, type Client, textOf } from './client.js';
import { OURS, THEIRS } from './programs.js';

/** One agent of `crew`, with a client and a server of its own. Each task appends one line of its own to a shared file. */
const THINKING = 200;

const [server, root = '', name = '', tasks = ''] = process.argv.slice(2);
const client = await attach(server === 'ours' ? OURS : THEIRS, root, name);
const task = server === 'ours' ? underLock : freely;

process.once('message', () => void work());
// Both servers have answered a call before the race begins.
await (server === 'ours' ? client.call('list_scopes', {}) : client.call('list_allowed_directories', {}));
process.send?.('ready');

async function work(): Promise<void> {
  for (const [at, file] of tasks.split(',').entries()) await task(client, file, `line ${at} of ${name}`);
  process.send?.('done');
  await client.close();
  process.disconnect();
}

async function underLock(ours: Client, file: string, line: string): Promise<void> {
  let claimed = await ours.call('claim_scope', { title: `Append to ${file}`, units: [file] });
  while (claimed.status !== 'active') claimed = await ours.call('claim_scope', { scope: claimed.scope });
  const { scope } = claimed;
  const last = (await textUnderLock(ours, file)).split('\n').at(-2) ?? '';
  await setTimeout(THINKING);
  await ours.call('patch', {
    scope,
    edits: [{ path: file, old_string: `${last}\n`, new_string: `${last}\n${line}\n` }],
  });
  await ours.call('publish_output', { scope, summary: line });
}

async function textUnderLock(ours: Client, file: string): Promise<string> {
  const { files } = await ours.call('read', { paths: [file] });
  const [found] = Array.isArray(files) ? files : [];
  return textOf(found?.text);
}

/** The same with what the other server has: read, think, write. */
async function freely(theirs: Client, file: string, line: string): Promise<void> {
  const path = `${root}/${file}`;
  const { content } = await theirs.call('read_text_file', { path });
  await setTimeout(THINKING);
  await theirs.call('write_file', { path, content: `${textOf(content)}${line}\n` });
}
