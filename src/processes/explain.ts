/** For Ubuntu 23.10 and later, where AppArmor lets only programs with a profile have namespaces; bubblewrap's is no help. */
const PROFILE = '/etc/apparmor.d/unshare-userns';
const PROFILE_TEXT =
  'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile unshare-userns /usr/bin/unshare flags=(unconfined) {\\n  userns,\\n}\\n';

/** Kernel settings that take user namespaces away, with the value that does so, as `sysctl` names them. */
export const SWITCHES: { readonly [name: string]: { readonly off: string; readonly remedy: string } } = {
  'kernel.unprivileged_userns_clone': { off: '0', remedy: 'sudo sysctl kernel.unprivileged_userns_clone=1' },
  'user.max_user_namespaces': { off: '0', remedy: 'sudo sysctl user.max_user_namespaces=15000' },
  'kernel.apparmor_restrict_unprivileged_userns': {
    off: '1',
    remedy: `allow them to unshare with printf '${PROFILE_TEXT}' | sudo tee ${PROFILE} && sudo apparmor_parser -r ${PROFILE}, or to all programs with sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`,
  },
};

/** What a machine says about itself. `settings` holds those of `SWITCHES` that it has. */
export interface Circumstances {
  readonly settings: { readonly [name: string]: string };
  readonly container: boolean;
  readonly kernel: string;
}

/** A failure with what to do about it, where its cause is a known one. */
export function explain(failure: string, { settings, container, kernel }: Circumstances): string {
  const said = failure.replace(/\s+/g, ' ').trim().slice(0, 500);
  const missing =
    /spawn (\S+) ENOENT/.exec(said) ??
    /(?:sh: \d+: (?:exec: )?|exec: |execute |line \d+: )([\w-]+): (?:command )?not found/.exec(said) ??
    /failed to execute ([\w-]+): No such file/.exec(said);
  if (missing !== null) return `${missing[1]} is not installed: install util-linux, coreutils and bash (${said})`;
  if (/unrecognized option|invalid option|unknown option|applet/i.test(said))
    return `util-linux is too old or a cut-down one (BusyBox): install util-linux 2.36 or newer (${said})`;
  // Of a mount that fails the namespaces are there already.
  if (/^mount: |wrong fs type|overlay/.test(said) && !/^mount: \/: |permission denied/i.test(said))
    return `an overlay can't be mounted here: it needs Linux 5.11 or newer (this is ${kernel}) and a workspace on a local disk, not itself an overlay (in a container: on a volume), without another mount inside (${said})`;
  for (const [name, { off, remedy }] of Object.entries(SWITCHES))
    if (settings[name]?.trim() === off)
      return `user namespaces are switched off: ${name} is ${off}; ${remedy} (${said})`;
  if (!/not permitted|permission denied|no space left/i.test(said)) return said;
  return container
    ? `this container allows no user namespaces: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined, or run Signalbox on the host (${said})`
    : `namespaces are not permitted here, as inside many sandboxes: run Signalbox outside of it (${said})`;
}
