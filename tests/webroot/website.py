"""A website on a loop-mounted scratch file system, signed, and an agent that guards it; for tests and benches.

Python's standard library only.
"""
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ransom"))
import stage  # noqa: E402
from stage import wait_for  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ports import free_port  # noqa: E402, F401 (handed on)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def facts(root, left_out):
    """Path → all that a manifest says of what is fixed; times of folders change with their content."""
    found = {}
    for folder, names, files in os.walk(root):
        for name in [*names, *files]:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, root)
            if f"{short}/".startswith(tuple(f"{one}/" for one in left_out)):
                continue
            with contextlib.suppress(FileNotFoundError):
                now = os.lstat(path)
                fact = [now.st_mode, now.st_uid, now.st_gid]
                if os.path.islink(path):
                    fact.append(os.readlink(path))
                elif os.path.isfile(path):
                    fact += [now.st_mtime_ns, stage.file_digest(path), stage.xattr_digest(path)]
                found[short] = fact
    return found


class Site:
    """ROOT with pages, a style sheet, links, uploads and a cache; its store and the commands on them."""

    left_out = ("uploads", "cache")  # what others than the editor write
    protected = None  # the shield's folder, where it cannot be on the same file system

    def __init__(self, mount, name="www", store=None):
        self.mount = mount
        self.root = os.path.join(mount, name)
        self.store = store or os.path.join(mount, "store-" + name)
        self.folder = os.path.join(mount, "agent-" + name)
        for folder in ("css", "tin-tuc/2026", "uploads/2026", "cache", "wp-admin/js"):
            os.makedirs(os.path.join(self.root, folder))
        for i in range(30):
            write(self.path(f"trang-{i}.php"), f"<?php echo 'Cổng thông tin {i}';\n".encode() * 40)
            write(self.path(f"wp-admin/js/{i}.js"), f"// {i}\n".encode() * 200)
        write(self.path("index.html"), "<h1>Ủy ban nhân dân</h1>\n".encode() * 2400)
        write(self.path("css/site.css"), b"body { color: #222 }\n" * 900)
        write(self.path("tin-tuc/2026/a.html"), "Tin tức\n".encode() * 500)
        write(self.path(".htaccess"), b"Options -Indexes\n")
        write(self.path("uploads/2026/anh.jpg"), b"\xff\xd8\xff\xe0" + bytes(2000))
        os.symlink("css/site.css", self.path("style"))
        os.chown(self.path("index.html"), 33, 33)
        os.chmod(self.path("trang-1.php"), 0o640)
        os.setxattr(self.path("trang-2.php"), "user.note", b"gh")
        for folder, _, files in os.walk(self.root):
            for file in files:
                os.utime(os.path.join(folder, file), (1700000000, 1700000000), follow_symlinks=False)

    def path(self, short):
        return os.path.join(self.root, short)

    def ask(self, verb, *words, root=True, timeout=120):
        argv = [stage.program(), "--lang", "en", "webroot", verb, *([self.root] if root else []), "--store", self.store, *words]
        return stage.run(*argv, timeout=timeout)

    def told(self, verb, *words, root=True):
        """The JSON lines of a verb."""
        done = self.ask(verb, *words, "--json", root=root)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def sign(self, *words):
        key = os.path.join(self.store, "key.pub")
        if not os.path.exists(key):
            self.must("key", root=False)
        self.must("sign", *words)
        self.signed = facts(self.root, self.left_out)

    def must(self, verb, *words, root=True):
        done = self.ask(verb, *words, root=root)
        if done.returncode != 0:
            raise RuntimeError(f"webroot {verb}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def own(self):
        """This root's part of the store."""
        for name in os.listdir(self.store):
            path = os.path.join(self.store, name)
            if os.path.exists(os.path.join(path, "root")) and read(os.path.join(path, "root")).decode() == self.root:
                return path
        raise RuntimeError("the store has no part for " + self.root)

    def is_whole(self):
        return facts(self.root, self.left_out) == self.signed

    def differing(self):
        now = facts(self.root, self.left_out)
        return sorted(path for path in set(now) | set(self.signed) if now.get(path) != self.signed.get(path))

    def evidence(self):
        return self.told("evidence", "list", root=False)

    @contextlib.contextmanager
    def guarded(self, *extra):
        """An agent that has compared the root once."""
        protected = self.protected or os.path.join(self.mount, "data")
        os.makedirs(protected, exist_ok=True)
        words = ["--webroot", self.root, "--webroot-store", self.store, "--folder", self.folder, *extra]
        with stage.Agent([protected], extra=words) as agent:
            self.await_guard(agent)
            yield agent

    def await_guard(self, agent, after=0):
        if not wait_for(lambda: any("guarding " + self.root in line for line in agent.errors[after:])):
            raise RuntimeError("the root was not guarded: " + " | ".join(agent.errors[-5:]))


def findings(agent, word=None):
    """Latest revision of each finding of the guard; only those with a reason of that word."""
    latest = {}
    for number, finding in enumerate(list(agent.findings)):
        if finding.get("detector") == "webroot":
            latest[finding.get("id", number)] = finding
    return [one for one in latest.values() if word is None or word in {why["what"] for why in one["why"]}]


def named(agent, name):
    """The number of that process of the agent."""
    for pid in agent.pids():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return pid
    return None


def guard_pid(agent):
    return named(agent, "guard")
