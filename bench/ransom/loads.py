"""What the overhead is measured on: everyday work, each a class with setup(folder) and run(folder). run returns
the seconds that count, and processor seconds of processes that are not its children. Trees come from a fixed seed."""
import os
import random
import shutil
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "ransom"))
import stage  # noqa: E402
import works  # noqa: E402


def source_size(rng):
    return int(min(rng.lognormvariate(8.8, 1.1), 200_000))  # median 6.6 KB, as in trees of C


def small_size(rng):
    return rng.randint(100, 400)


class Checkout:
    """Two far branches of some thousand sources: a third removed, a third changed, as many new; both ways."""
    name = "git checkout"
    count, size = 3000, staticmethod(source_size)
    is_worst_case = False

    def lay(self, folder, seed, count):
        rng = random.Random(seed)
        for number in range(count):
            path = os.path.join(folder, f"dir{number % 36}", f"sub{number % 5}", f"file{number}.c")
            works.write(path, f"// {seed} {number}\n" + works.prose(rng, self.size(rng)))

    def change(self, folder):
        rng = random.Random(9)
        for path in (os.path.join(folder, name) for name in sorted(os.listdir(folder))):
            for name in sorted(os.listdir(path)):
                with open(os.path.join(path, name), "a", encoding="utf-8") as file:
                    file.write(works.prose(rng, self.size(rng) // 8))

    def setup(self, folder):
        repo = os.path.join(folder, "repo")
        self.lay(repo, 1, self.count)
        works.git(repo, "init", "-q", "-b", "main")
        works.git(repo, "add", "-A")
        works.git(repo, "commit", "-q", "-m", "main")
        works.git(repo, "checkout", "-q", "-b", "far")
        for number in range(12):
            shutil.rmtree(os.path.join(repo, f"dir{number}"))
        for number in range(12, 24):
            self.change(os.path.join(repo, f"dir{number}"))
        self.lay(os.path.join(repo, "other"), 2, self.count // 3)
        works.git(repo, "add", "-A")
        works.git(repo, "commit", "-q", "-m", "far")
        works.git(repo, "repack", "-adq")

    def run(self, folder):
        start = time.monotonic()
        for branch in ("main", "far"):
            works.git(os.path.join(folder, "repo"), "checkout", "-q", branch)
        return time.monotonic() - start, 0


class SmallCheckout(Checkout):
    """Nothing but names to make: the gate's worst case."""
    name = "git checkout, files of 100 to 400 bytes"
    size = staticmethod(small_size)
    is_worst_case = True


class Make:
    """Many short processes, and files that one writes and the next reads."""
    name = "make -j2"
    is_worst_case = False
    units, functions = 40, 12

    def setup(self, folder):
        names = [f"unit{number}" for number in range(self.units)]
        for number, name in enumerate(names):
            body = "".join(f"int {name}_{i}(int x) {{ while (x > {number}) {{ x -= puts(\"{i}\"); }} return x; }}\n"
                           for i in range(self.functions))
            works.write(os.path.join(folder, name + ".c"), "#include <stdio.h>\n#include <stdlib.h>\n" + body)
        works.write(os.path.join(folder, "main.c"), "int main(void) { return 0; }\n")
        objects = " ".join(name + ".o" for name in names)
        works.write(os.path.join(folder, "Makefile"),
                    f"all: {objects} main.o\n\tcc -o all $^\n%.o: %.c\n\tcc -O2 -c -o $@ $<\nclean:\n\trm -f *.o all\n")

    def run(self, folder):
        stage.must("make", "-s", "clean", cwd=folder)
        start = time.monotonic()
        stage.must("make", "-s", "-j2", cwd=folder)
        return time.monotonic() - start, 0


class Archive:
    name = "tar, zstd"
    is_worst_case = False

    def setup(self, folder):
        works.lay_tree(os.path.join(folder, "tree"), 1, 3000)

    def run(self, folder):
        start = time.monotonic()
        stage.must("tar", "-I", "zstd -q", "-cf", os.path.join(folder, "tree.tar.zst"), "tree", cwd=folder)
        return time.monotonic() - start, 0


class Pgbench(works.Postgres):
    """One server all the while, as in a department: what counts is a loaded server, not its start."""
    name = "pgbench"
    is_worst_case = False
    transactions = 10_000  # of each of four clients: about ten seconds

    def setup(self, folder):
        super().setup(folder)
        self.server(folder, "start")
        self.tool(folder, "pgbench", "-h", os.path.join(folder, "pg"), "-i", "-q", "-s", "5", "postgres")

    def teardown(self, folder):
        self.server(folder, "stop")

    def server(self, folder, verb):
        data = os.path.join(folder, "pg")
        self.tool(folder, "pg_ctl", "-D", data, "-w", "-m", "fast", "-l", os.path.join(data, "log"), "-o",
                  f"-c listen_addresses= -c unix_socket_directories={data}", verb)

    def server_cpu(self, folder):
        """Of the server and the backends that have ended."""
        with open(os.path.join(folder, "pg", "postmaster.pid"), encoding="utf-8") as file:
            pid = int(file.readline())
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            words = file.read().rpartition(")")[2].split()
        return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")

    def run(self, folder):
        before, start = self.server_cpu(folder), time.monotonic()
        self.tool(folder, "pgbench", "-h", os.path.join(folder, "pg"), "-t", str(self.transactions), "-c", "4", "-n",
                  "postgres")
        return time.monotonic() - start, self.server_cpu(folder) - before


class PgbenchAtOnce(Pgbench):
    """The second in which the agent has just come, and copies the whole database since it sees it written."""
    name = "pgbench, first second of the agent"
    is_worst_case = True
    transactions = 1000


ALL = (Checkout, Make, Archive, Pgbench, SmallCheckout, PgbenchAtOnce)
