import type { Json, Refusal } from '../domain/refusal.js';
import { inline, joined, lines } from './lists.js';
import { plain } from './notation.js';

/** A refusal as a model reads it: `CODE: sentence`, the facts, the next step. */
export function refusalText(refusal: Refusal): string {
  return joined([
    `${refusal.code}: ${refusal.sentence}`,
    ...Object.entries(refusal.facts).flatMap(([name, fact]) => factLines(name.replaceAll('_', ' '), fact)),
    refusal.next !== '' && `Next: ${refusal.next}`,
  ]);
}

function factLines(name: string, fact: Json): string[] {
  if (typeof fact === 'string' && fact.includes('\n')) return [`${name}:`, fact.replace(/\n$/, '')];
  if (!Array.isArray(fact)) return [`${name}: ${factText(fact)}`];
  if (fact.length === 0) return [];
  if (fact.every((item) => typeof item !== 'object')) return [`${name}: ${inline(fact.map(String))}`];
  return [`${name}:`, ...lines(fact, factText)];
}

function factText(fact: Json): string {
  if (typeof fact === 'string') return plain(fact);
  if (Array.isArray(fact)) return inline(fact.map(factText));
  if (typeof fact !== 'object' || fact === null) return String(fact);
  return Object.entries(fact)
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${factText(value)}`)
    .join(', ');
}
