"""The stage for ransom tests and benches: scratch file systems on loop devices, an agent beside them, manifests.

Only file systems mounted here are gated, everything has a time limit, and all is taken down again whatever
happens: a guard in a session of its own does it when the test is killed, or frozen by the agent it tests.
Python's standard library only.
"""
import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARKER = ".canhgac-drill"
FILE_SYSTEMS = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
PATIENCE = 60.0  # seconds; nothing that is waited for is timed: only what hangs waits so long


FROZEN_SECONDS = 5


def state_of(pid):
    """The letter the kernel gives a process: R, S, D, T …; "" when it has gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_for(what, seconds=PATIENCE, pause=0.02):
    """What it gives at last, which is nothing good when the time has run out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(pause)
    return what()


class Guard:
    """Takes down what is registered once this process is gone, and frees it when the agent has stopped it."""

    def __init__(self):
        self.child = None

    def tell(self, verb, *words):
        if self.child is None:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # so that every `finally` runs
            self.child = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(os.getpid())],
                                          stdin=subprocess.PIPE, start_new_session=True)
            self.child.wait(30)
        self.child.stdin.write((json.dumps([verb, *words]) + "\n").encode())
        self.child.stdin.flush()


guard = Guard()


def guard_main(parent):
    """The guard's body: lines come in as ["add" | "drop", kind, name] or ["reset"]; kinds are agent, work, mount, loop, folder."""
    if os.fork() != 0:  # no descendant of the test: an agent that stops the test's whole tree must not reach it
        os._exit(0)
    things, text, frozen = [], b"", 0
    while True:
        if select.select([0], [], [], 1)[0]:
            piece = os.read(0, 65536)
            if not piece:
                break
            *lines, text = (text + piece).split(b"\n")
            for verb, *thing in map(json.loads, lines):
                if verb == "add":
                    things.insert(0, thing)
                elif verb == "drop":
                    things = [other for other in things if other != thing]
                else:  # the file system and all on it are gone
                    things.clear()
            continue
        frozen = frozen + 1 if state_of(parent) == "T" else 0
        if frozen >= FROZEN_SECONDS:
            for kind, name in things:
                if kind == "agent":
                    take_down(kind, name)
            print("guard: the agent stopped the test itself; it goes on without the agent", file=sys.stderr, flush=True)
            os.kill(parent, signal.SIGCONT)
    for kind, name in things:
        take_down(kind, name)


def take_down(kind, name):
    if kind in ("agent", "work"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(name, signal.SIGKILL)
    elif kind == "folder":
        shutil.rmtree(name, ignore_errors=True)
    else:
        argv = ["umount", "-l", name] if kind == "mount" else ["losetup", "-d", name]
        subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)


class Unfit(Exception):
    """The machine lacks what a test needs: it is skipped, and says so."""


def program():
    return os.environ.get("CANHGAC", os.path.join(TOP, "build", "canhgac"))


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Unfit(f"{tool} is not installed")


def run(*argv, timeout=120, **options):
    """A child in a session of its own, killed with all its kin at the time limit, or soon once it was stopped."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("stdin", subprocess.DEVNULL)
    child = subprocess.Popen(argv, start_new_session=True, **options)
    start, stopped = time.monotonic(), 0
    guard.tell("add", "work", child.pid)
    while True:
        try:
            out, err = child.communicate(timeout=1)
            guard.tell("drop", "work", child.pid)
            return subprocess.CompletedProcess(argv, child.returncode, out, err)
        except subprocess.TimeoutExpired:
            stopped = stopped + 1 if state_of(child.pid) == "T" else 0
            if stopped >= FROZEN_SECONDS or time.monotonic() - start > timeout:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
                raise subprocess.TimeoutExpired(argv, time.monotonic() - start) from None


def must(*argv, **options):
    done = run(*argv, **options)
    if done.returncode != 0:
        text = (done.stderr or b"") if isinstance(done.stderr, bytes) else (done.stderr or "").encode()
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {text.decode(errors='replace').strip()[-400:]}")
    return done


@contextlib.contextmanager
def file_system(kind, megabytes=512):
    """A fresh file system of a kind on a loop device, with a folder `data` in it. Yields the mount point."""
    if os.geteuid() != 0:
        raise Unfit("only root can mount")
    need(FILE_SYSTEMS[kind][0], "losetup", "mount")
    work = tempfile.mkdtemp(prefix="canhgac-stage-")
    image, mount = os.path.join(work, "image"), os.path.join(work, "mnt")
    loop, is_mounted = None, False
    guard.tell("add", "folder", work)
    try:
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        must(*FILE_SYSTEMS[kind], image)
        os.mkdir(mount)
        loop = must("losetup", "--find", "--show", image).stdout.decode().strip()
        guard.tell("add", "loop", loop)
        must("mount", loop, mount)
        is_mounted = True
        guard.tell("add", "mount", mount)
        os.mkdir(os.path.join(mount, "data"))
        yield mount
    finally:
        for _ in range(50):
            if not is_mounted or run("umount", mount).returncode == 0:
                is_mounted = False
                break
            time.sleep(0.1)
        if is_mounted:
            run("umount", "-l", mount)
        if loop:
            run("losetup", "-d", loop)
        shutil.rmtree(work, ignore_errors=True)
        guard.tell("reset")


class Agent:
    """`canhgac agent --standalone` over some folders; its findings as they come."""

    def __init__(self, folders, mode=None, vault=None, extra=(), binary=None):
        self.findings = []
        self.errors = []
        self.ready = threading.Event()
        self.own_vault = vault is None
        self.vault = vault or tempfile.mkdtemp(prefix="canhgac-vault-")
        argv = [binary or program(), "--lang", "en", "agent", "--standalone", "--json", "--vault", self.vault]
        for folder in folders:
            argv += ["--protect", folder]
        if mode:
            argv += ["--mode", mode]
        self.child = subprocess.Popen(argv + list(extra), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, start_new_session=True, text=True, errors="replace")
        guard.tell("add", "agent", self.child.pid)
        self.threads = [threading.Thread(target=self.take_findings, daemon=True),
                        threading.Thread(target=self.take_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def take_findings(self):
        for line in self.child.stdout:
            try:
                self.findings.append(json.loads(line))
            except ValueError:
                self.errors.append("not JSON on stdout: " + line.strip())

    def take_errors(self):
        for line in self.child.stderr:
            self.errors.append(line.rstrip())
            if "ready" in line:
                self.ready.set()

    def __enter__(self):
        until = time.monotonic() + PATIENCE
        while not self.ready.wait(0.05):
            if self.child.poll() is not None or time.monotonic() > until:
                text = " | ".join(self.errors[-5:])
                self.__exit__()
                raise RuntimeError(f"the agent did not get ready: {text}")
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.errors.append("the agent had to be killed")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        guard.tell("drop", "agent", self.child.pid)
        for thread in self.threads:
            thread.join(5)
        if self.own_vault:
            shutil.rmtree(self.vault, ignore_errors=True)

    def latest(self):
        """The last revision of each finding of the ransom judge."""
        latest = {}
        for number, finding in enumerate(self.findings):
            if finding.get("detector") == "ransom":
                latest[finding.get("id", number)] = finding
        return list(latest.values())

    def interventions(self):
        """Findings in which somebody was stopped or paused."""
        return [finding for finding in self.latest()
                if finding.get("action", {}).get("kind") not in (None, "none")]

    def pids(self):
        """The agent and all its descendants."""
        found, queue = [], [self.child.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                        queue += [int(word) for word in file.read().split()]
        return found

    def memory(self):
        """Resident bytes of all its processes, shared pages counted by their share."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))
        return total


def xattr_digest(path):
    """As the drill's manifest has it."""
    digest = hashlib.sha256()
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if name.startswith(("user.", "system.posix_acl_")):
            value = os.getxattr(path, name, follow_symlinks=False)
            digest.update(f"{name}={len(value)}:".encode() + value)
    return digest.hexdigest()


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def manifest_difference(manifest, root):
    """Sentences on what differs from a drill's manifest file; checked apart from the drill."""
    with open(manifest, encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    said = []
    for entry in entries:
        path = os.path.join(root, entry["path"])
        try:
            now = os.lstat(path)
        except OSError as error:
            said.append(f"{entry['path']}: {error.strerror}")
            continue
        facts = {"mode": now.st_mode, "uid": now.st_uid, "gid": now.st_gid, "xattrs": xattr_digest(path)}
        if not entry["folder"]:
            leader = os.path.join(root, entries[entry["leader"]]["path"])
            facts.update(size=now.st_size, mtime=now.st_mtime_ns, links=now.st_nlink, sha256=file_digest(path))
            if entry["sparse"] and now.st_blocks * 512 >= now.st_size:
                said.append(f"{entry['path']}: its holes were filled")
            if not os.path.exists(leader) or os.stat(leader).st_ino != now.st_ino:
                said.append(f"{entry['path']}: is no longer the same file as its link")
        said += [f"{entry['path']}: {fact} is {value}, was {entry[fact]}" for fact, value in facts.items()
                 if entry[fact] != value]
    return said


def snapshot(root, leave_out=()):
    """What a tree is: path → facts. Times count only for what is older than an hour: the rest was made now."""
    result, recent = {}, time.time() - 3600
    inodes = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            short = os.path.relpath(path, root)
            if short.startswith(tuple(leave_out)):
                continue
            now = os.lstat(path)
            facts = [stat.S_IFMT(now.st_mode), stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid]
            if stat.S_ISREG(now.st_mode):
                inodes.setdefault(now.st_ino, short)
                facts += [now.st_size, file_digest(path), xattr_digest(path), inodes[now.st_ino],
                          now.st_mtime_ns if now.st_mtime < recent else "now"]
            elif stat.S_ISLNK(now.st_mode):
                facts.append(os.readlink(path))
            result[short] = facts
    return result


def snapshot_difference(one, other):
    return [f"{path}: {one.get(path, 'absent')} / {other.get(path, 'absent')}"
            for path in sorted(set(one) | set(other)) if one.get(path) != other.get(path)]


def patterns():
    """Name → the tool that is missing, or None; in the program's order."""
    lines = must(program(), "drill", "ransomware", "--list", "--json").stdout.decode().splitlines()
    return {row["pattern"]: row["missing"] for row in map(json.loads, lines)}


def drill(folder, pattern, *options, seed=1, files=120, wait="10s", timeout=300):
    """Runs one drill; returns its report with `exit` added."""
    done = run(program(), "--lang", "en", "drill", "ransomware", "--json", "--pattern", pattern, "--folder", folder,
               "--seed", str(seed), "--files", str(files), "--wait", wait, *options, timeout=timeout)
    lines = done.stdout.decode().splitlines()
    if not lines:
        raise RuntimeError("the drill said nothing: " + done.stderr.decode(errors="replace").strip())
    return json.loads(lines[-1]) | {"exit": done.returncode}


class Tally:
    """One line a test, the same each time but for the figures; the sum at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, *words):
        self.passed += 1
        print("ok", *words, flush=True)

    def fail(self, *words):
        self.failed += 1
        print("FAIL", *words, flush=True)

    def skip(self, *words):
        self.skipped += 1
        print("skip", *words, flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed else 0)


if __name__ == "__main__":
    guard_main(int(sys.argv[1]))
