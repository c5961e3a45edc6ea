import { type Refusal, refuse } from '../../domain/refusal.js';
import type { HunkProblem } from './apply-hunks.js';
import { type Cause, closest, missFacts } from './closest.js';
import type { Hunk } from './hunk.js';
import { placeOf, type Source, sourceFacts } from './operation.js';
import type { Replacement } from './replace.js';

/** Which step of a patch did not fit, and on which file. */
export interface Step {
  readonly source: Source;
  readonly path: string;
}

const CAUSES: { readonly [cause in Cause]: string } = {
  line_numbers: 'it carries the line numbers of a listing, which are no part of the file',
  line_endings: 'only the line endings differ',
  white_space: 'only white space differs',
  already_made: 'the new text is there already, so the change seems to be made',
};

/** `old_string` is nowhere in the file. */
export function noMatch(step: Step, text: string, { old, new: young }: Replacement): Refusal {
  const miss = closest(text, old, young);
  const why = miss.cause === undefined ? '' : `; ${CAUSES[miss.cause]}`;
  return refuse('NO_MATCH', `old_string of ${placeOf(step.source)} is not in ${step.path}${why}.`, again(step.path), {
    ...factsOf(step),
    ...missFacts(miss),
  });
}

/** `old_string` is there more than once. */
export function severalMatches(step: Step, lines: readonly number[], more: boolean): Refusal {
  return refuse(
    'NO_MATCH',
    `old_string of ${placeOf(step.source)} is in ${step.path} ${timesAt(lines, more)}.`,
    'Add neighbouring lines to old_string until it names one place, or pass replace_all: true.',
    { ...factsOf(step), lines: [...lines] },
  );
}

const ONE_PLACE =
  'Add unchanged lines around the change to the hunk until it names one place, or pass the change as edits with old_string and new_string.';

/** A hunk has no place in the file, or not one that is its own. */
export function hunkRefusal(step: Step, text: string, problem: HunkProblem): Refusal {
  const { hunk, number } = problem;
  const facts = { ...factsOf(step), hunk: number, hunk_line: hunk.diffLine };
  const name = `hunk ${number} (line ${hunk.diffLine} of the diff)`;
  if (problem.kind === 'none') return hunkNowhere(step, text, hunk, name, facts);
  if (problem.kind === 'several') {
    const { lines, more } = problem;
    const sentence = `The old lines of ${name} are in ${step.path} ${timesAt(lines, more)}; its line numbers only hint.`;
    return refuse('NO_MATCH', sentence, ONE_PLACE, { ...facts, lines: [...lines] });
  }
  if (problem.kind === 'unplaced') {
    const sentence = `All lines of ${name} are new, so nothing says where in ${step.path} they belong.`;
    return refuse('NO_MATCH', sentence, ONE_PLACE, facts);
  }
  if (problem.kind === 'overlap') {
    const sentence = `The changes of ${name} overlap those of another hunk in ${step.path}.`;
    return refuse('INVALID', sentence, 'Join the two hunks into one and call patch again.', facts);
  }
  return refuse(
    'LIMIT',
    `Finding the place of ${name} in ${step.path} takes too long.`,
    'Split the diff into several patches.',
    facts,
  );
}

function hunkNowhere(step: Step, text: string, hunk: Hunk, name: string, facts: Refusal['facts']): Refusal {
  const side = (sign: '+' | '-'): string =>
    hunk.lines.flatMap((line) => (line.sign === ' ' || line.sign === sign ? [line.text] : [])).join('\n');
  const miss = closest(text, side('-'), side('+'));
  const where = hunk.atEnd || hunk.lines.some(({ bare }) => bare) ? `at the end of ${step.path}` : `in ${step.path}`;
  const below =
    hunk.anchors.length === 0 ? '' : ` below ${hunk.anchors.map((anchor) => JSON.stringify(anchor)).join(' and ')}`;
  const why = miss.cause === undefined ? '' : `; ${CAUSES[miss.cause]}`;
  const sentence = `The old lines of ${name} are not ${where}${below}${why}.`;
  return refuse('NO_MATCH', sentence, again(step.path), { ...facts, ...missFacts(miss) });
}

function factsOf(step: Step): Refusal['facts'] {
  return { ...sourceFacts(step.source), path: step.path };
}

function again(path: string): string {
  return `Call read {"paths": [${JSON.stringify(path)}]}, copy the lines exactly as they are, and call patch again.`;
}

function timesAt(lines: readonly number[], more: boolean): string {
  const times = more ? `more than ${lines.length} times` : `${lines.length} times`;
  return `${times}, at lines ${lines.join(', ')}${more ? ' and others' : ''}`;
}
