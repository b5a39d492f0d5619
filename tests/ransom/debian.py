"""Debian roots for tests: made by debootstrap from the mirror that this machine itself installs from.

What was fetched once is kept in CACHE, so that a second run needs little of the network. Beside stage.py, whose
limits and take-down hold here too.
"""
import contextlib
import fcntl
import os
import shutil
import subprocess

from stage import TOP, Unfit, must, need, run

CACHE = "/var/cache/canhgac-tests"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLONE = "/root/canhgac"
# Mounts live in a namespace of their own, and end with it: nothing is left to unmount. The root is pivoted to, not
# chrooted: the kernel gives no user namespace to whoever is in a chroot, and a browser's cell is made of one. Without the
# network there is still a card with an address, as in any office: a host tells its centre that address.
ENTER = """set -e
root=$1 cache=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
[ -z "$cache" ] || mount --bind "$cache" "$root/var/cache/apt/archives"
ip link set lo up 2>/dev/null || true
[ -n "$cache" ] || {
    ip link add card type veth peer name wall
    ip address add 192.0.2.20/24 dev card
    ip link set card up
    ip link set wall up
}
cd "$root"
pivot_root . mnt
umount -l /mnt
exec "$@"
"""


def mirror():
    """This machine's Debian release and where apt takes it from."""
    need("apt-get", "debootstrap")
    lines = must("apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)",
                 "Created-By: Packages").stdout.decode().splitlines()
    for origin, codename, component, address in (line.split("|") for line in lines):
        if (origin, component) == ("Debian", "main") and codename.isalpha():  # not bookworm-updates
            return codename, address
    raise Unfit("apt has no Debian mirror here, or apt-get update was never run")


@contextlib.contextmanager
def packages_folder(suite):
    """Where a release's packages are kept; apt's own lock on it would fail, not wait, when two tests run at once."""
    folder = os.path.join(CACHE, suite)
    os.makedirs(os.path.join(folder, "partial"), exist_ok=True)
    with open(os.path.join(CACHE, suite + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def suite_of(root):
    with open(os.path.join(root, "etc/os-release"), encoding="utf-8") as file:
        return next(line.split("=")[1].strip() for line in file if line.startswith("VERSION_CODENAME="))


def make_root(root, suite=None, include=()):
    """A minimal Debian in a folder; `suite` defaults to this machine's own."""
    own, address = mirror()
    options = [f"--include={','.join(include)}"] if include else []
    with packages_folder(suite or own) as cache:
        must("debootstrap", "--variant=minbase", f"--cache-dir={cache}", f"--keyring={KEYS}", *options, suite or own, root,
             address, timeout=1800)
    with open(os.path.join(root, "etc/apt/apt.conf.d/10tests"), "w", encoding="ascii") as file:
        file.write('APT::Keep-Downloaded-Packages "true";\nAPT::Sandbox::User "root";\n')
    hand_on_npm(root)


def hand_on_npm(root):
    """The root's npm asks whom this machine's asks, and trusts whom it trusts."""
    lines = []
    for name in ("registry", "cafile") if shutil.which("npm") else ():
        value = must("npm", "config", "get", name).stdout.decode().strip()
        if name == "cafile" and os.path.isfile(value):
            shutil.copy(value, root + "/etc/npm-trust.crt")
            value = "/etc/npm-trust.crt"
        if value not in ("", "null", "undefined"):
            lines.append(f"{name}={value}\n")
    with open(root + "/root/.npmrc", "w", encoding="ascii") as file:
        file.writelines(lines)


def inside(root, *argv, is_online=False, has_own_pids=True, timeout=600):
    """Runs a program in the root, in namespaces of its own that end with it; network and packages only when asked for."""
    private = ["--mount", "--fork", "--kill-child"] + (["--pid"] if has_own_pids else []) + ([] if is_online else ["--net"])
    with packages_folder(suite_of(root)) if is_online else contextlib.nullcontext("") as cache:
        return run("unshare", *private, "sh", "-c", ENTER, "enter", root, cache, "env", "-i", f"PATH={PATH}", "HOME=/root",
                   "LC_ALL=C.UTF-8", "TERM=dumb", "CANHGAC_LANG=en", *argv, timeout=timeout, stderr=subprocess.STDOUT)


def must_inside(root, *argv, **options):
    done = inside(root, *argv, **options)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)[:80]} ended with {done.returncode}: {text.strip()[-1500:]}")
    return text


def clone(root):
    """A fresh clone of what is committed, where a person would have put it."""
    must("git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", TOP, root + CLONE, timeout=300)
