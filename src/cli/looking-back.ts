import type { Command } from 'commander';
import type { ArtifactFilter } from './commands/artifacts.js';
import { type Common, command } from './define.js';
import { withWorkspace } from './with-workspace.js';

/** The commands for what was done: to see it, and to take it back. */
export function lookingBack(program: Command): void {
  command(program, 'diff [scope]', 'what a scope changed, or what all live scopes did')
    .option('--run <id>', 'what this run changed')
    .action((scope: string | undefined, options: Common & { run?: string }) =>
      withWorkspace(options.root, async ({ parts }) => {
        const { diff, runDiff } = await import('./commands/diff.js');
        if (options.run === undefined) await diff(parts, scope, options.json === true);
        else await runDiff(parts, options.run, options.json === true);
      }),
    );
  command(program, 'log <run>', 'what a command printed').action((run: string, options: Common) =>
    withWorkspace(options.root, async ({ parts }) => {
      const { log } = await import('./commands/log.js');
      await log(parts, run, options.json === true);
    }),
  );
  command(
    program,
    'artifacts [hash]',
    'what was published and kept, with where it comes from; with a hash, the content',
  )
    .option('--scope <id>', 'only those of this scope')
    .option('--type <type>', 'only this type, such as file or log')
    .option('--path <path>', 'only those of this file')
    .option('--output <file>', 'write the content to a new file')
    .action(
      (hash: string | undefined, { root, json, output, ...filter }: Common & ArtifactFilter & { output?: string }) =>
        withWorkspace(root, async (assembled) => {
          const { artifacts, content } = await import('./commands/artifacts.js');
          if (hash === undefined) await artifacts(assembled, filter, json === true);
          else await content(assembled.plane, hash, { output, json: json === true });
        }),
    );
  command(program, 'blame <path>', 'which scope and agent made which lines; src/a.ts:120-180 for some of them').action(
    (path: string, options: Common) =>
      withWorkspace(options.root, async ({ plane }) => {
        const { blame } = await import('./commands/blame.js');
        await blame(plane, path, options.json === true);
      }),
  );
  command(program, 'undo <scope>', 'take back exactly what a scope changed, if nobody built on it')
    .option('--reason <text>', 'why; it stands in the history')
    .option('--conflict', 'where others built on it, open a scope in which somebody brings both together')
    .action((scope: string, { root, json, reason, conflict }: Common & { reason?: string; conflict?: boolean }) =>
      withWorkspace(root, async ({ plane }) => {
        const { undo } = await import('./commands/undo.js');
        const how = { ...(reason === undefined ? {} : { reason }), ...(conflict === undefined ? {} : { conflict }) };
        await undo(plane, scope, how, json === true);
      }),
    );
}
