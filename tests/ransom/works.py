"""Honest workloads, one class each: how to lay out its tree, what to run, how to check the result.

`varying` names what differs from run to run by nature: it is left out of the comparison, and verify looks at it.
Trees come from a fixed seed, so that two runs start equal.
"""
import glob
import os
import random
import shutil
import sqlite3
import subprocess
import zipfile
import zlib

import debian
from stage import Unfit, must, need, run

OLD = 1_700_000_000  # modification time of everything laid out
WORDS = ("báo cáo kế hoạch hồ sơ quyết định danh sách kinh phí xã huyện tỉnh năm tháng ngày report budget minutes "
         "return static const struct buffer while length offset result error").split()


def prose(rng, size):
    lines, total = [], 0
    while total < size:
        line = " ".join(rng.choices(WORDS, k=12)) + "\n"
        lines.append(line)
        total += len(line)
    return "".join(lines)


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)
    os.utime(path, (OLD, OLD))


def lay_tree(folder, seed=1, count=150):
    """Text, packed data and tables, some of it linked twice."""
    rng = random.Random(seed)
    for number in range(count):
        text = prose(rng, int(min(rng.lognormvariate(9.5, 1.2), 400_000)))
        suffix = rng.choice([".txt", ".c", ".csv", ".html", ".z"])
        data = zlib.compress(text.encode()) if suffix == ".z" else text
        write(os.path.join(folder, f"Thư mục {number % 7}", f"tệp {number}{suffix}"), data,
              rng.choice([0o644, 0o640, 0o600, 0o755]))
    os.link(os.path.join(folder, "Thư mục 0", os.listdir(os.path.join(folder, "Thư mục 0"))[0]),
            os.path.join(folder, "Thư mục 1", "liên kết"))


class Work:
    name = ""
    tools = ()
    varying = ()
    is_long = False
    megabytes = 512

    def setup(self, folder):
        lay_tree(os.path.join(folder, "tree"))

    def run(self, folder):
        raise NotImplementedError

    def verify(self, folder):
        pass


def git(folder, *words):
    return must("git", "-c", "user.name=T", "-c", "user.email=t@example.vn", "-c", "gc.auto=0", "-c", "safe.directory=*",
                *words, cwd=folder, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                                         "GIT_AUTHOR_DATE": f"{OLD} +0000", "GIT_COMMITTER_DATE": f"{OLD} +0000"})


class GitWork(Work):
    tools = ("git",)
    varying = ("repo/.git",)

    def setup(self, folder):
        repo = os.path.join(folder, "repo")
        lay_tree(repo, 2, 250)
        git(repo, "init", "-q", "-b", "main")
        for number in range(6):
            write(os.path.join(repo, "Thư mục 0", f"mới {number}.c"), prose(random.Random(number), 9000))
            git(repo, "add", "-A")
            git(repo, "commit", "-q", "-m", f"{number}")
        git(repo, "checkout", "-q", "-b", "far")
        for name in sorted(glob.glob(os.path.join(repo, "Thư mục [1-5]", "*"))):
            os.unlink(name)
        lay_tree(os.path.join(repo, "other"), 3, 200)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", "far")

    def verify(self, folder):
        repo = os.path.join(folder, "repo")
        git(repo, "fsck", "--strict")
        if git(repo, "status", "--porcelain").stdout:
            raise AssertionError("the working tree differs from the commit")


class GitGc(GitWork):
    name = "git-gc"

    def run(self, folder):
        git(os.path.join(folder, "repo"), "gc", "-q", "--prune=now")


class GitCheckout(GitWork):
    name = "git-checkout"

    def run(self, folder):
        for branch in ("main", "far", "main"):
            git(os.path.join(folder, "repo"), "checkout", "-q", branch)


class TarZstd(Work):
    name = "tar-zstd"
    tools = ("tar", "zstd")
    varying = ("tree.tar.zst",)

    def run(self, folder):
        must("tar", "-I", "zstd -q", "-cf", "tree.tar.zst", "tree", cwd=folder)

    def verify(self, folder):
        must("tar", "-I", "zstd -q", "-df", "tree.tar.zst", cwd=folder)


class Gzip(Work):
    name = "gzip-r"
    tools = ("gzip",)

    def run(self, folder):
        must("gzip", "-rfq", "tree", cwd=folder)

    def verify(self, folder):
        must("gzip", "-trq", "tree", cwd=folder)


class Rsync(Work):
    name = "rsync-a"
    tools = ("rsync",)

    def setup(self, folder):
        lay_tree(os.path.join(folder, "new"), 4)
        lay_tree(os.path.join(folder, "old"), 5)

    def run(self, folder):
        must("rsync", "-aHX", "--delete", "--ignore-times", "new/", "old/", cwd=folder)


class Borg(Work):
    name = "borg-create"
    tools = ("borg",)
    varying = ("repo",)

    def run(self, folder):
        self.borg(folder, "init", "--encryption=repokey", "repo")
        for number in range(2):
            self.borg(folder, "create", f"repo::b{number}", "tree")

    def verify(self, folder):
        self.borg(folder, "check", "--verify-data", "repo")

    @staticmethod
    def borg(folder, *words):
        state = os.path.join(folder, "repo-state")
        must("borg", *words, cwd=folder, env={
            "PATH": os.environ["PATH"], "HOME": state, "BORG_BASE_DIR": state, "BORG_PASSPHRASE": "public",
            "LC_ALL": "C.UTF-8", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"})


class Restic(Work):
    name = "restic-backup"
    tools = ("restic",)
    varying = ("repo",)

    def run(self, folder):
        self.restic(folder, "init")
        self.restic(folder, "backup", "tree")
        self.restic(folder, "backup", "--force", "tree")

    def verify(self, folder):
        self.restic(folder, "check", "--read-data")

    @staticmethod
    def restic(folder, *words):
        must("restic", "-q", "--no-cache", "-r", "repo", *words, cwd=folder,
             env={"PATH": os.environ["PATH"], "HOME": folder, "RESTIC_PASSWORD": "public"})


class SevenZip(Work):
    name = "7z-a"
    tools = ("7z",)
    varying = ("all.7z",)

    def run(self, folder):
        must("7z", "a", "-bd", "-mmt1", "all.7z", "tree", cwd=folder)

    def verify(self, folder):
        must("7z", "t", "all.7z", cwd=folder)


class Zip(Work):
    name = "zip-r"
    tools = ("zip",)
    varying = ("all.zip",)

    def run(self, folder):
        must("zip", "-qr", "all.zip", "tree", cwd=folder)

    def verify(self, folder):
        with zipfile.ZipFile(os.path.join(folder, "all.zip")) as archive:
            if archive.testzip() is not None:
                raise AssertionError("the archive is damaged")


class Sed(Work):
    name = "sed-i"
    tools = ("sed", "find")

    def run(self, folder):
        must("find", "tree", "-type", "f", "!", "-name", "*.z", "-exec", "sed", "-i", "s/kế hoạch/KẾ HOẠCH/g", "{}", "+",
             cwd=folder)


class Mogrify(Work):
    name = "mogrify"
    tools = ("mogrify", "convert")

    def setup(self, folder):
        for number in range(25):
            path = os.path.join(folder, f"ảnh {number}.jpg")
            os.makedirs(folder, exist_ok=True)
            must("convert", "-seed", str(number), "-size", "320x240", "plasma:", "-strip", path)
            os.utime(path, (OLD, OLD))

    def run(self, folder):
        must("mogrify", "-strip", "-resize", "50%", *sorted(glob.glob(os.path.join(folder, "*.jpg"))))

    def verify(self, folder):
        must("identify", *sorted(glob.glob(os.path.join(folder, "*.jpg"))))


class Unzip(Work):
    name = "unzip-o"
    tools = ("unzip", "zip")
    varying = ("all.zip",)

    def setup(self, folder):
        super().setup(folder)
        must("zip", "-qrX", "all.zip", "tree", cwd=folder)

    def run(self, folder):
        must("unzip", "-qqo", "all.zip", cwd=folder)


class Sqlite(Work):
    name = "sqlite-load"
    varying = ("state.db",)

    def setup(self, folder):
        with sqlite3.connect(os.path.join(folder, "state.db")) as db:
            db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)")

    def run(self, folder):
        rng = random.Random(6)
        for mode in ("DELETE", "WAL"):
            db = sqlite3.connect(os.path.join(folder, "state.db"))
            db.execute(f"PRAGMA journal_mode={mode}")
            for _ in range(150):
                with db:
                    db.executemany("INSERT INTO t(body) VALUES(?)", [(rng.randbytes(900),) for _ in range(20)])
            with db:
                db.execute("DELETE FROM t WHERE id % 3 = 0")
            db.execute("VACUUM")
            db.close()

    def verify(self, folder):
        db = sqlite3.connect(os.path.join(folder, "state.db"))
        state = db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("SELECT count(*) FROM t").fetchone()[0]
        db.close()
        if state != ("ok", 4000):
            raise AssertionError(f"the database holds {state}")


class Logrotate(Work):
    """copytruncate, as logrotate does it: copy, empty the log in place, compress the copy, drop the oldest."""
    name = "logrotate"
    tools = ("gzip",)

    def setup(self, folder):
        for number in range(20):
            rng = random.Random(number)
            write(os.path.join(folder, f"dịch-vụ-{number}.log"), prose(rng, 60_000))
            write(os.path.join(folder, f"dịch-vụ-{number}.log.1"), prose(rng, 60_000))
            write(os.path.join(folder, f"dịch-vụ-{number}.log.2.gz"), zlib.compress(prose(rng, 60_000).encode()))

    def run(self, folder):
        for log in sorted(glob.glob(os.path.join(folder, "*.log"))):
            os.unlink(log + ".2.gz")
            os.rename(log + ".1", log + ".2")
            must("gzip", "-n", log + ".2")
            shutil.copyfile(log, log + ".1")
            os.truncate(log, 0)
            with open(log, "a", encoding="utf-8") as file:
                file.write("a new day\n")


class Remove(Work):
    name = "rm-rf"
    tools = ("rm",)

    def run(self, folder):
        must("rm", "-rf", "tree", cwd=folder)


class Gpg(Work):
    """A person encrypts five files and keeps the originals."""
    name = "gpg-keep"
    tools = ("gpg",)
    varying = ("gnupg", "tệp 0.txt.gpg", "tệp 1.txt.gpg", "tệp 2.txt.gpg", "tệp 3.txt.gpg", "tệp 4.txt.gpg")

    def setup(self, folder):
        os.mkdir(os.path.join(folder, "gnupg"), 0o700)
        for number in range(5):
            write(os.path.join(folder, f"tệp {number}.txt"), prose(random.Random(number), 30_000))

    def run(self, folder):
        for number in range(5):
            self.gpg(folder, "--symmetric", f"tệp {number}.txt")

    def verify(self, folder):
        for number in range(5):
            with open(os.path.join(folder, f"tệp {number}.txt"), "rb") as file:
                if self.gpg(folder, "--decrypt", f"tệp {number}.txt.gpg").stdout != file.read():
                    raise AssertionError("what gpg made is not the file")

    @staticmethod
    def gpg(folder, *words):
        return must("gpg", "--homedir", "gnupg", "--no-autostart", "--quiet", "--batch", "--pinentry-mode", "loopback",
                    "--s2k-count", "65536", "--passphrase", "public", *words, cwd=folder)


class LibreOffice(Work):
    name = "libreoffice"
    tools = ("soffice",)
    varying = ("profile", "out")
    is_long = True

    def setup(self, folder):
        for number in range(50):
            write(os.path.join(folder, "in", f"văn bản {number}.txt"), prose(random.Random(number), 8000))

    def run(self, folder):
        must("soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "docx",
             "--outdir", os.path.join(folder, "out"), *sorted(glob.glob(os.path.join(folder, "in", "*"))), timeout=600)

    def verify(self, folder):
        made = glob.glob(os.path.join(folder, "out", "*.docx"))
        if len(made) != 50 or any(zipfile.ZipFile(path).testzip() for path in made):
            raise AssertionError(f"{len(made)} sound documents of 50")


def postgres_tools():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not folders:
        raise Unfit("postgresql is not installed")
    return folders[-1]


class Postgres(Work):
    name = "postgresql"
    varying = ("pg",)
    is_long = True
    megabytes = 1024

    def setup(self, folder):
        need("runuser")
        data = os.path.join(folder, "pg")
        os.mkdir(data, 0o700)
        shutil.chown(data, "postgres", "postgres")
        place = folder
        while place.count(os.sep) > 1:  # the server's user must be able to walk down to its data
            os.chmod(place, 0o755)
            place = os.path.dirname(place)
        self.tool(folder, "initdb", "-D", data, "-A", "trust", "--no-sync")

    def run(self, folder):
        data = os.path.join(folder, "pg")
        self.tool(folder, "pg_ctl", "-D", data, "-w", "-l", os.path.join(data, "log"), "-o",
                  f"-c listen_addresses= -c unix_socket_directories={data}", "start")
        try:
            self.tool(folder, "pgbench", "-h", data, "-i", "-q", "-s", "3", "postgres")
            self.tool(folder, "pgbench", "-h", data, "-T", "8", "-c", "4", "postgres")
            self.tool(folder, "psql", "-h", data, "-c", "VACUUM FULL", "postgres")
        finally:
            self.tool(folder, "pg_ctl", "-D", data, "-w", "-m", "fast", "stop")

    def verify(self, folder):
        data = os.path.join(folder, "pg")
        if run(os.path.join(postgres_tools(), "pg_controldata"), data).returncode != 0:
            raise AssertionError("the cluster is damaged")

    @staticmethod
    def tool(folder, name, *words):
        return must("runuser", "-u", "postgres", "--", os.path.join(postgres_tools(), name), *words, cwd=folder,
                    timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Apt(Work):
    """Installs packages into a Debian of its own, and takes one out again."""
    name = "apt-install"
    tools = ("debootstrap", "chroot", "unshare")
    varying = tuple(f"root/{name}" for name in ("var/log", "var/cache", "var/lib/apt", "run", "tmp"))
    is_long = True
    megabytes = 2048

    def setup(self, folder):
        root = os.path.join(folder, "root")
        debian.make_root(root)
        debian.must_inside(root, "apt-get", "update", is_online=True)

    def run(self, folder):
        for words in (["install", "-y", "--no-install-recommends", "less", "file", "nano", "python3-minimal", "locales"],
                      ["purge", "-y", "nano"]):
            debian.must_inside(os.path.join(folder, "root"), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *words,
                               is_online=True)

    def verify(self, folder):
        debian.must_inside(os.path.join(folder, "root"), "dpkg", "--verify")


ALL = [work() for work in (GitGc, GitCheckout, TarZstd, Gzip, Rsync, Borg, Restic, SevenZip, Zip, Sed, Mogrify, Unzip,
                           Sqlite, Logrotate, Remove, Gpg, LibreOffice, Postgres, Apt)]
