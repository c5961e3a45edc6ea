import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { PHASES } from '../domain/scope.js';
import { ROLES } from '../http/identity.js';
import type { EventFilter } from './commands/events.js';
import type { CreateOptions } from './commands/token.js';
import { type Common, command, port, whole } from './define.js';
import { endWhenUnread } from './interrupt.js';
import { lookingBack } from './looking-back.js';
import { planning } from './planning.js';
import { VERSION } from './version.js';
import { withWorkspace } from './with-workspace.js';

/** The command line. Each command is loaded when it is called. Exit codes: 0 done, 1 refused, 2 wrong usage. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('signalbox')
    .description('Lets many coding agents work in one repository at once, with locks that hold.')
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(signalbox --help lists the commands)');
  endWhenUnread();
  serving(program);
  looking(program);
  lookingBack(program);
  planning(program);
  acting(program);
  tokens(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

function serving(program: Command): void {
  program
    .command('mcp')
    .description('serve one MCP client over stdio (what a client starts)')
    .action(async () => (await import('./mcp.js')).serveMcp());
  command(program, 'serve', 'serve many MCP clients over HTTP')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes any free one', port, 4747)
    .action((options: Common & { host: string; port: number }) =>
      withWorkspace(options.root, async (assembled) => {
        const { serve } = await import('./commands/serve.js');
        await serve(assembled, { host: options.host, port: options.port, json: options.json === true });
      }),
    );
  program
    .command('demo')
    .description('watch four agents share a small repository, in a temporary folder')
    .option('--json', 'print the result as JSON')
    .option('--keep', 'keep the temporary folder')
    .action(async (options: { json?: boolean; keep?: boolean }) => {
      const { demo } = await import('./demo/demo.js');
      await demo({ json: options.json === true, keep: options.keep === true });
    });
}

function looking(program: Command): void {
  command(
    program,
    'doctor',
    'try each part that Signalbox needs here, and say what to do about what does not work',
  ).action(async (options: Common) => {
    const { doctor } = await import('./commands/doctor.js');
    await doctor(options.root, options.json === true);
  });
  command(program, 'status', 'who holds what, and who waits')
    .option('--watch', 'go on showing it, live')
    .action((options: Common & { watch?: boolean }) =>
      withWorkspace(options.root, async ({ parts }) => {
        const { status } = await import('./commands/status.js');
        await status(parts, { json: options.json === true, watch: options.watch === true });
      }),
    );
  command(program, 'events', 'the ledger: every grant, refusal, change, run and output')
    .option('--follow', 'go on with what comes')
    .option('--after <seq>', 'only events after this one', whole, 0)
    .option('--scope <id>', 'only those about this scope')
    .option('--agent <name>', 'only those of this agent')
    .addOption(new Option('--phase <phase>', 'only those about scopes in this phase').choices([...PHASES]))
    .option('--type <type>', 'only this type, such as scope.granted')
    .action(({ root, json, follow, after, ...filter }: Common & EventFilter & { follow?: boolean; after: number }) =>
      withWorkspace(root, async ({ parts }) => {
        const { events } = await import('./commands/events.js');
        await events(parts, filter, { json: json === true, follow: follow === true, after });
      }),
    );
}

function acting(program: Command): void {
  command(
    program,
    'hold <units...>',
    'hold files or folders yourself, so that no agent writes there, until Ctrl-C',
  ).action((units: string[], options: Common) =>
    withWorkspace(options.root, async (assembled) => {
      const { hold } = await import('./commands/hold.js');
      await hold(assembled, units, options.json === true);
    }),
  );
  command(program, 'release <scope>', 'take a scope away from its owner')
    .option('--reason <text>', 'why; the next owner is told', 'released by the operator')
    .action((scope: string, options: Common & { reason: string }) =>
      withWorkspace(options.root, async ({ plane }) => {
        const { release } = await import('./commands/release.js');
        await release(plane, scope, options.reason, options.json === true);
      }),
    );
}

function tokens(program: Command): void {
  const group = program.command('token').description('the tokens with which clients of `serve` show who they are');
  command(group, 'create <name>', 'make a token, and show it this once')
    .addOption(
      new Option('--role <role>', 'an observer looks, an agent works, an operator decides about all work')
        .choices([...ROLES])
        .makeOptionMandatory(),
    )
    .option('--units <units...>', 'an agent may claim only these files, folders, globs and processes')
    .addOption(new Option('--phases <phases...>', 'an agent may claim work of these phases only').choices([...PHASES]))
    .option('--expires <duration>', 'end it after so long, such as 30d, 12h or 45m', duration)
    .action((name: string, options: Common & Omit<CreateOptions, 'json'>) =>
      withWorkspace(options.root, async (assembled) => {
        const { createToken } = await import('./commands/token.js');
        await createToken(assembled, name, { ...options, json: options.json === true });
      }),
    );
  command(group, 'list', 'the tokens, without themselves').action((options: Common) =>
    withWorkspace(options.root, async (assembled) => {
      const { listTokens } = await import('./commands/token.js');
      await listTokens(assembled, options.json === true);
    }),
  );
  command(group, 'revoke <name>', 'end a token, and the sessions under it').action((name: string, options: Common) =>
    withWorkspace(options.root, async (assembled) => {
      const { revokeToken } = await import('./commands/token.js');
      await revokeToken(assembled, name, options.json === true);
    }),
  );
}

const DURATION_UNITS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** → milliseconds. */
function duration(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError('Expected a number of days, hours or minutes: 30d, 12h, 45m.');
  return Number(count) * (DURATION_UNITS[unit] ?? 0);
}
