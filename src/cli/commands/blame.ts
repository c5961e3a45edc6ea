import type { BlamedLines, ControlPlane } from '../../coordinator/control-plane-contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, paint, print, printJson, safe, safeLines } from '../output.js';
import { person } from '../person.js';

const NAMES = { outside: 'outside', before: 'before Signalbox', unknown: 'unknown' } as const;
const WIDEST_AGENT = 20;

/** `blame`: each line of a file, behind the scope and the agent that made it. */
export async function blame(plane: ControlPlane, path: string, json: boolean): Promise<void> {
  const found = await plane.blame(person(), path);
  if (isRefusal(found)) return fail(found);
  if (json) return printJson(found);
  const { ranges } = found;
  const makers = ranges.map((range) => makerOf(range));
  const width = Math.max(0, ...makers.map((maker) => maker.length));
  const digits = String(ranges.at(-1)?.to ?? 0).length;
  for (const [at, { from, text, time = '' }] of ranges.entries()) {
    const maker = (makers[at] ?? '').padEnd(width);
    const lines = text.replace(/\n$/, '').split('\n');
    for (const [number, line] of lines.entries())
      print(
        `${paint('dim', `${maker}  ${time.slice(0, 10).padEnd(10)}  ${String(from + number).padStart(digits)}`)}  ${shown(line)}`,
      );
  }
}

function makerOf({ by, scope, agent = '' }: BlamedLines): string {
  return by === 'scope' ? `${scope}  ${safe(agent).slice(0, WIDEST_AGENT)}` : NAMES[by];
}

/** What goes to a file or a program has to stay as it is. */
function shown(line: string): string {
  return process.stdout.isTTY ? safeLines(line) : line;
}
