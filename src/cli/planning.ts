import { type Command, Option } from 'commander';
import { PHASES, type Phase, STATUSES, type Status } from '../domain/scope.js';
import type { OpenOptions } from './commands/open.js';
import { type Common, command, many, signed } from './define.js';
import { withWorkspace } from './with-workspace.js';

/** The commands for scopes of work: to see them, and to plan them. */
export function planning(program: Command): void {
  const scopes = listing(program);
  plans(scopes);
  const one = program.command('scope').description('one scope of work');
  command(
    one,
    'show <scope>',
    'all that is known of it: its contract, outputs, commands, changes, attempts and notes',
  ).action((scope: string, options: Common) =>
    withWorkspace(options.root, async ({ plane }) => {
      const { showScope } = await import('./commands/scope.js');
      await showScope(plane, scope, options.json === true);
    }),
  );
  opening(program);
  // The short names of `scopes import` and `scopes export`.
  plans(program);
}

function plans(parent: Command): void {
  command(parent, 'import <plan>', 'open all scopes of a plan, a YAML file or - for the input, or none').action(
    (plan: string, options: Common) =>
      withWorkspace(options.root, async ({ plane }) => {
        const { importPlan } = await import('./commands/plan.js');
        await importPlan(plane, plan, options.json === true);
      }),
  );
  command(parent, 'export', 'print the plan of the workspace as YAML, such as import takes')
    .addOption(new Option('--status <status>', 'only these').choices([...STATUSES]))
    .action((options: Common & { status?: Status }) =>
      withWorkspace(options.root, async ({ parts }) => {
        const { printPlan } = await import('./commands/plan.js');
        await printPlan(parts, options.status, options.json === true);
      }),
    );
}

function opening(program: Command): void {
  command(program, 'open <title>', 'open a scope of work for anybody to take up')
    .option('--unit <unit>', 'a file, a folder/, a glob or a process that it needs; may be repeated', many)
    .addOption(new Option('--phase <phase>', 'build where left out').choices([...PHASES]))
    .option('--consumes <scope>', 'a scope whose outputs it needs first; may be repeated', many)
    .option('--produces <path>', 'a file that it will publish, or path=type; may be repeated', many)
    .option('--input <reference>', 'what it works from, such as REQ-003; may be repeated', many)
    .option('--non-goal <sentence>', 'what is not to be done; may be repeated', many)
    .option('--done <sentence>', 'the definition of done; may be repeated', many)
    .option('--check <command>', 'a command that has to succeed before it is done; may be repeated', many)
    .option('--priority <number>', 'higher comes first; 0 where left out', signed)
    .option('--parent <scope>', 'the scope that it is a part of')
    .option('--note <text>', 'what is to be done')
    .action((title: string, { root, json, ...options }: Common & OpenOptions) =>
      withWorkspace(root, async ({ plane }) => {
        const { open } = await import('./commands/open.js');
        await open(plane, title, options, json === true);
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
