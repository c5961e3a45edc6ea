import type { PatchInput, PatchOutput } from '../../coordinator/contract.js';
import { patchInput } from '../../wire/inputs.js';
import { inline, joined, lines } from '../lists.js';
import { plain, short } from '../notation.js';
import type { Tool } from '../tool.js';

export const patch: Tool<PatchInput, PatchOutput> = {
  name: 'patch',
  title: 'Change files',
  description:
    'Edit, create, delete or move files: all of it or nothing. Free paths are claimed for you. HELD: another agent works there, claim_scope waits for it. NO_MATCH, STALE_BASE: read again, then patch.',
  effect: 'change',
  schema: patchInput,
  handler: (coordinator, caller, input) => coordinator.patch(caller, input),
  text: (output) =>
    joined([
      output.already === true
        ? 'Nothing was written: the files already are as wanted.'
        : `Patched ${output.files.length === 1 ? '1 file' : `${output.files.length} files`} (event ${output.seq}).`,
      ...lines(output.files, fileLine),
      output.claimed !== undefined && output.claimed.length > 0 && `Claimed by this patch: ${inline(output.claimed)}`,
      output.scope !== undefined && `Scope handle: ${output.scope} (end with publish_output)`,
    ]),
};

function fileLine(file: PatchOutput['files'][number]): string {
  const state = file.version === null ? 'deleted' : `version ${short(file.version)}`;
  const rebased = file.rebased === true ? ', merged with changes made since your base' : '';
  const outside = file.outside === true ? ', on top of an edit made outside Signalbox' : '';
  return `${plain(file.path)} (${state}, +${file.added} -${file.removed}${rebased}${outside})`;
}
