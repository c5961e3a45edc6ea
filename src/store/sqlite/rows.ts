import { StoreBroken } from '../store.js';
import type { Row } from './driver.js';

/** Reading columns: what is not of the expected kind means that somebody else wrote the row. */

export function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  return typeof value === 'string' ? value : wrong(column, value, 'text');
}

export function integer(row: Row | undefined, column: string): number {
  const value = row?.[column];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(column, value, 'a whole number');
}

export function real(row: Row | undefined, column: string): number {
  const value = row?.[column];
  return typeof value === 'number' ? value : wrong(column, value, 'a number');
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

export function oneOf<T extends string>(row: Row, column: string, allowed: readonly T[]): T {
  const value = text(row, column);
  return allowed.find((candidate) => candidate === value) ?? wrong(column, value, allowed.join(', '));
}

/** A column of JSON that this store wrote itself; `verify` compares it with the ledger. */
export function json<T>(row: Row, column: string): T {
  const source = text(row, column);
  try {
    return JSON.parse(source);
  } catch {
    return wrong(column, source, 'JSON');
  }
}

/** The property only where the column has a value. */
export function optional<K extends string, T>(key: K, value: T | null): { [P in K]?: T } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: T });
}

function wrong(column: string, value: unknown, expected: string): never {
  throw new StoreBroken(`column ${column} holds ${JSON.stringify(value) ?? 'nothing'} where ${expected} belongs`);
}
