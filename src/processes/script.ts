/**
 * The shell texts that run inside the namespaces. They are constants: every value reaches them as an argument.
 * Only /bin/sh, coreutils and util-linux are needed, and only from the system's own folders.
 */
export const TRUSTED_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Process 1 of the run, with capabilities over its own namespaces only. Arguments: the root, the layer (relative to the
 * root, its `slot` leading to the first home), the homes to try in order (relative, blank-separated), `on` or `off` for
 * the network, the text of `INIT`, and what `INIT` takes.
 *
 * Order matters: everything that exists is sealed and copied first; only then is the workspace opened again, as the
 * source of the layers (both by `base`, of which a workspace that is a mount already may need the remount alone), and
 * what the plan lists is mounted into the copy. So nothing is writable by omission. The server works out the plan
 * meanwhile, and says when it is there; one that died says nothing, and the read ends. What could not be mounted the server
 * sees before the command begins. Limits: no core dumps, files of
 * 16 GiB (in blocks of 512 bytes) and 8,192 processes (`-p` in dash, `-u` in bash). The last step enters the copy by
 * `chroot`: there the kernel also refuses new user namespaces.
 */
export const BUILD = `
set -eu
root=$1 layer=$2 homes=$3 network=$4 init=$5
shift 5
cd -- "$root"
for home in $homes; do
  if [ ! -e "$home/lock" ]; then mkdir -p "$home/upper" "$home/work" "$home/plain"; : > "$home/lock"; fi
  exec 9<"$home/lock"
  if flock -n 9; then break; fi
done
if [ "$home" != "\${homes%% *}" ]; then ln -sfn "$root/$home" "$layer/slot"; fi
if [ "$network" = off ]; then ip link set lo up 2>/dev/null || :; fi
mount -a -i -o remount,bind,ro 2>/dev/null || :
mount -a -i -c -T "$layer/base" || :
cd -- "$root"
[ -w . ] || mount -o remount,bind,rw "$root"
read -r plan <&3 || exit 125
mount -a -i -c -T "$layer/plan" || :
ulimit -c 0
ulimit -f 33554432
ulimit -p 8192 2>/dev/null || ulimit -u 8192
exec chroot "$layer/root" \\
  setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all --pdeathsig KILL \\
  sh -c "$init" signalbox "$@"
`;

/**
 * Process 1 once it has given up everything. It starts the command only when the server answers: a server that died
 * before the parent-death signals were in place answers nothing, and the read ends.
 */
export const INIT = `
cd -- "$1" || exit 125
path=$2
shift 2
echo ready >&3
read -r go <&3 || exit 125
exec 3>&-
PATH=$path "$@" 2>&1 9<&-
exit $?
`;

/**
 * Lists folders (from stdin, NUL-ended, relative) as the layer and the live tree show them together: the one way, short
 * of extended attributes, to see that a folder was deleted and made anew. Arguments: the root and the layer. A work folder
 * of its own, because the run's is marked volatile; as a lower layer, the kernel takes no folder inside another one.
 */
export const LIST = `
set -eu
cd -- "$1"
mount -i -t overlay signalbox -o "lowerdir=.,upperdir=$2/upper,workdir=$2/again,userxattr" "$2/root"
cd -- "$2/root"
exec xargs -0 -r sh -c 'exec find "$@" -mindepth 1 -maxdepth 1 -print0' signalbox
`;
