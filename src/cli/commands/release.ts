import type { ControlPlane } from '../../coordinator/control-plane-contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, print, printJson } from '../output.js';
import { person } from '../person.js';

/** `release`: takes a scope away from its owner. What it changed stays, and whoever claims it next is told. */
export async function release(plane: ControlPlane, scope: string, reason: string, json: boolean): Promise<void> {
  const released = await plane.release(person(), scope, { reason });
  if (isRefusal(released)) return fail(released);
  const { id, stopping } = released;
  const status = stopping === undefined ? released.status : 'stopping';
  if (json) return printJson({ id, status });
  const why = ': its commands cannot be known to be dead yet, so what it holds stays held until they are';
  print(`${id} is ${status}${stopping === undefined ? '' : why}.`);
}
