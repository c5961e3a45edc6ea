import { type Command, Option } from 'commander';
import { PHASES, type Phase, STATUSES, type Status } from '../domain/scope.js';
import { type Common, command } from './define.js';
import { withWorkspace } from './with-workspace.js';

/** The commands for scopes of work: to see them, to plan them, to act on them. */
export function planning(program: Command): void {
  const scopes = listing(program);
  command(scopes, 'import <plan>', 'open all scopes of a plan, a YAML file or - for the input, or none').action(
    (plan: string, options: Common) =>
      withWorkspace(options.root, async ({ plane }) => {
        const { importPlan } = await import('./commands/plan.js');
        await importPlan(plane, plan, options.json === true);
      }),
  );
  command(scopes, 'export', 'print the plan of the workspace as YAML, such as import takes')
    .addOption(new Option('--status <status>', 'only these').choices([...STATUSES]))
    .action((options: Common & { status?: Status }) =>
      withWorkspace(options.root, async ({ parts }) => {
        const { printPlan } = await import('./commands/plan.js');
        await printPlan(parts, options.status, options.json === true);
      }),
    );
}

function listing(program: Command): Command {
  return command(program, 'scopes', 'the scopes of work')
    .addOption(new Option('--status <status>', 'only these').choices([...STATUSES]))
    .addOption(new Option('--phase <phase>', 'only these').choices([...PHASES]))
    .option('--path <path>', 'only those that hold or want this path')
    .enablePositionalOptions()
    .action((options: Common & { status?: Status; phase?: Phase; path?: string }) =>
      withWorkspace(options.root, async ({ coordinator }) => {
        const { scopes } = await import('./commands/scopes.js');
        const { status, phase, path } = options;
        await scopes(
          coordinator,
          { ...(status ? { status } : {}), ...(phase ? { phase } : {}), ...(path ? { path } : {}) },
          options.json === true,
        );
      }),
    );
}
