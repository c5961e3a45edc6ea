/** One line of a mount table. Paths are those that the command shall see. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  /** `none` for a bind. */
  readonly type: 'none' | 'overlay' | 'proc' | 'devpts' | 'tmpfs';
  readonly options: string;
}

/** A mount as the kernel lists it in /proc/self/mountinfo. */
export interface Mounted {
  readonly id: string;
  readonly parent: string;
  readonly target: string;
  readonly writable: boolean;
  readonly source: string;
}

/** Where a command finds a home folder that it can write to, where its own one can't be an overlay. */
export const PRIVATE_HOME = '/run/home';

/** Marks mounts with a file system of their own, so that they can't be taken for one of the host's. */
export const OWN = 'signalbox';

const bind = (source: string, target: string): Mount => ({ source, target, type: 'none', options: 'bind' });
const sealed = (source: string, target: string): Mount => ({ source, target, type: 'none', options: 'bind,ro' });
/** With what is mounted inside: the kernel gives no part of a tree with mounts in it that are not ours to a bind alone. */
const whole = (path: string, options: 'rbind' | 'rbind,ro'): Mount => ({
  source: path,
  target: path,
  type: 'none',
  options,
});
const own = (type: Mount['type'], target: string, options: string): Mount => ({ source: OWN, target, type, options });

/** What a mount table is made from. All paths are absolute and real, except where said otherwise. */
export interface View {
  readonly root: string;
  /** `.signalbox` and the layer in it. */
  readonly folder: string;
  readonly layer: string;
  /** The layer, relative to the root: only such paths go into overlay options, which have no safe quoting. */
  readonly relativeLayer: string;
  /** Whether the workspace is an overlay; otherwise it is read-only. */
  readonly overlay: boolean;
  /** The home folder, where it needs an overlay of its own. */
  readonly home: string | undefined;
  /** Devices of the host that exist, by name. */
  readonly devices: readonly string[];
  /** Entries of /proc through which root could reach the host. */
  readonly procfs: readonly string[];
  /** Folders of the workspace that are bound read-write. */
  readonly writable: readonly string[];
  /** Folders of the host that are shown through an overlay, so that no socket in them can be connected to. */
  readonly cuts: readonly { readonly at: string; readonly via: string }[];
  /** Bound read-only at the same place: git's own folders, tools that lie under a hidden folder. `at` may be a link's place. */
  readonly kept: readonly { readonly from: string; readonly at: string }[];
  /** Hidden: secrets and sockets. `as` is what stands in their place. */
  readonly hidden: readonly { readonly at: string; readonly as: string }[];
}

/** The mount table of a run, parents before children: a folder above another has the shorter path. */
export function mountTable(view: View): readonly Mount[] {
  const { layer, relativeLayer, folder } = view;
  const layers = (lower: string, upper: string, work: string): string =>
    `lowerdir=${lower},upperdir=${relativeLayer}/${upper},workdir=${relativeLayer}/${work},userxattr`;
  const home =
    view.home === undefined
      ? []
      : [own('overlay', view.home, layers(`${relativeLayer}/home`, 'slot/upper', 'slot/work'))];
  // `volatile`: what a crash leaves of this layer is thrown away, so it needs no syncs.
  const workspace = view.overlay
    ? [own('overlay', view.root, `${layers('.', 'upper', 'work')},volatile`)]
    : [
        bind(`${layer}/slot/plain`, PRIVATE_HOME),
        ...(view.writable.includes(view.root) ? [] : [whole(view.root, 'rbind,ro')]),
      ];
  const cuts = view.cuts.map(({ at, via }) => own('overlay', at, `ro,lowerdir=${via}:${relativeLayer}/void`));
  const table = [
    ...cuts,
    bind(`${layer}/tmp`, '/tmp'),
    bind(`${layer}/run`, '/run'),
    sealed(`${folder}/skeleton/dev`, '/dev'),
    ...view.devices.map((name) => bind(`/dev/${name}`, `/dev/${name}`)),
    own('devpts', '/dev/pts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=620'),
    own('tmpfs', '/dev/shm', 'nosuid,nodev,mode=1777'),
    own('proc', '/proc', 'nosuid,nodev,noexec'),
    ...view.procfs.map((path) => sealed(`${layer}/root${path}`, path)),
    ...home,
    ...workspace,
    ...view.writable.map((path) => (view.overlay ? bind(path, path) : whole(path, 'rbind'))),
    ...view.kept.map(({ from, at }) => sealed(from, at)),
    ...view.hidden.map(({ at, as }) => sealed(as, at)),
    sealed(`${folder}/skeleton/empty`, folder),
  ];
  return table.sort((a, b) => a.target.length - b.target.length);
}

/** Whether it keeps commands from the sockets in a folder of the host. */
export const isCut = ({ type, options }: Mount): boolean => type === 'overlay' && options.startsWith('ro,');

/** What the sandbox starts from: a copy of everything there is, and the workspace open for writing. */
export function baseTable(root: string, layer: string): readonly Mount[] {
  const copy: Mount = { source: '/', target: `${layer}/root`, type: 'none', options: 'rbind' };
  const open: Mount = { source: root, target: root, type: 'none', options: 'remount,bind,rw' };
  // An overlay needs a second folder below, and takes none that lies inside the first.
  return [copy, whole(root, 'rbind'), open, own('tmpfs', `${layer}/void`, 'ro,nosuid,nodev,mode=755')];
}

const toOctal = (text: string): string =>
  text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
const fromOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** The table in the format of fstab, with `prefix` before each target. */
export function fstab(table: readonly Mount[], prefix: string): string {
  return table.map((m) => `${toOctal(m.source)} ${toOctal(prefix + m.target)} ${m.type} ${m.options} 0 0\n`).join('');
}

export function parseMountinfo(text: string): readonly Mounted[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [id = '', parent = '', , , target = '', options = ''] = left.split(' ');
      const [, source = ''] = right.split(' ');
      return {
        id,
        parent,
        target: fromOctal(target),
        writable: options.split(',').includes('rw'),
        source: fromOctal(source),
      };
    });
}

const below = (path: string, folder: string): boolean => path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** Mounts that a path still leads to: not covered by a later one, at their own place or above it. */
export function visible(mounts: readonly Mounted[]): readonly Mounted[] {
  const ids = new Set(mounts.map((mount) => mount.id));
  const children = new Map<string, Mounted[]>();
  for (const mount of mounts) children.set(mount.parent, [...(children.get(mount.parent) ?? []), mount]);
  const top = mounts.find((mount) => !ids.has(mount.parent));
  /** The mount that a walk along `path` ends in: at each mount, the first mount point on the way is entered. */
  const reached = (path: string): Mounted | undefined => {
    let here = top;
    for (;;) {
      const on = (children.get(here?.id ?? '') ?? []).filter(({ target }) => path === target || below(path, target));
      const next = on.reduce<Mounted | undefined>(
        (first, m) => (first && first.target.length <= m.target.length ? first : m),
        undefined,
      );
      if (next === undefined) return here;
      here = next;
    }
  };
  return mounts.filter((mount) => reached(mount.target) === mount);
}

/**
 * What is wrong with the mounts that a run got: writable ones that the table doesn't list, listed ones that are absent.
 * `mount -a` skips what it takes for mounted, and a remount may fail, so neither's word is taken.
 */
export function discrepancies(
  table: readonly Mount[],
  mountinfo: string,
): { readonly open: readonly string[]; readonly absent: readonly string[] } {
  const mounts = visible(parseMountinfo(mountinfo));
  const at = new Map(mounts.map((mount) => [mount.target, mount]));
  const allowed = new Set(table.filter((mount) => !mount.options.endsWith('bind,ro')).map((mount) => mount.target));
  return {
    open: mounts.filter((mount) => mount.writable && !allowed.has(mount.target)).map((mount) => mount.target),
    absent: table
      .filter((mount) => {
        const found = at.get(mount.target);
        return found === undefined || (mount.type !== 'none' && found.source !== OWN);
      })
      .map((mount) => mount.target),
  };
}
