import { operatorRelease } from '../../coordinator/operator.js';
import type { Parts } from '../../coordinator/parts.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, print, printJson } from '../output.js';
import { personName } from '../person.js';

/** `release`: takes a scope away from its owner. What it changed stays, and whoever claims it next is told. */
export async function release(parts: Parts, scope: string, reason: string, json: boolean): Promise<void> {
  const released = await operatorRelease(parts, { name: personName() }, scope, reason);
  if (isRefusal(released)) return fail(released);
  const { id, status } = released;
  json ? printJson({ id, status }) : print(`${id} is ${status}.`);
}
