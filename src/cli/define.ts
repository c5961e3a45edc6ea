import { type Command, InvalidArgumentError } from 'commander';

/** The options of every command that works on a workspace. */
export interface Common {
  readonly root: string;
  readonly json?: boolean;
}

/** A command that works on a workspace. */
export function command(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option('--root <folder>', 'the workspace, or a folder in it', process.cwd())
    .option('--json', 'print JSON, for programs');
}

export function port(text: string): number {
  const number = whole(text);
  if (number > 65_535) throw new InvalidArgumentError('A port is a number up to 65535.');
  return number;
}

export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}

export function signed(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}

/** For an option that may come several times. */
export function many(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
