"""A centre of its own for tests of received logs: started in a scratch folder, asked as people ask it, its processes killed."""
import glob
import http.client
import itertools
import json
import os
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
from ports import free_port  # noqa: E402

PROGRAM = os.path.abspath(os.environ.get("CANHGAC", os.path.join(TOP, "build/canhgac")))
PATIENCE = 120  # seconds; nothing that is waited for is timed: only what hangs waits so long
PASSWORD = "mật khẩu của bài thử 77"


class Checks:
    """Counts what holds, and says it line by line."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.ran = self.failed = 0

    def __call__(self, name, holds, told=""):
        self.ran += 1
        self.failed += not holds
        print(f"{'ok' if holds else 'not ok'} {self.ran} - {name}" + (f": {told}" if told and (self.verbose or not holds) else ""), flush=True)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


class Centre:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "centre")
        self.log = os.path.join(folder, "centre.log")
        self.port = free_port()
        self.cookie = None
        self.start()
        self.ca = os.path.join(self.folder, "keys/ca.crt")

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "--lang", "en", "centre", "--folder", self.folder, "--keep-user", "--listen",
                                             f"127.0.0.1:{self.port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: self.child("receiver") and "on watch" in self.said(), "the centre is on watch")
        except AssertionError:
            self.end()
            raise

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def children(self):
        """The centre's processes: the pid by the name."""
        found = {}
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    stat = file.read()
                with open(f"/proc/{entry}/comm", encoding="utf-8") as file:
                    comm = file.read().strip()
            except (OSError, ValueError):
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) == self.process.pid:
                found[comm] = int(entry)
        return found

    def child(self, name):
        """The centre's process of that name: its pid."""
        return self.children().get(name)

    def is_quiet(self, *names):
        """Whether all threads of these have slept for a third of a second, so that nothing is on its way between them; one that only waits
        for a processor does not sleep."""
        pids = [self.child(name) for name in names]

        def sleeping():
            counts = []
            for task in itertools.chain(*(glob.glob(f"/proc/{pid}/task/*") for pid in pids)):
                try:
                    with open(f"{task}/schedstat", encoding="utf-8") as ran, open(f"{task}/stat", encoding="utf-8") as stat:
                        counts.append((task, ran.read()))
                        state = stat.read().rsplit(")", 1)[1].split()[0]
                except OSError:  # it has just ended
                    return None
                if state != "S":
                    return None
            return counts

        before = sleeping()
        end = time.monotonic() + 0.3
        while before and time.monotonic() < end:
            if sleeping() != before:
                return False
            time.sleep(0.005)
        return bool(before)

    def kill(self, name):
        pid = wait_for(lambda: self.child(name), f"{name} is there")  # a new core has the detector begin anew
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.child(name) not in (None, pid), f"{name} is back")

    def kill_all(self):
        """All of it at once, as when the machine's memory runs out; and it starts again."""
        pids = [self.process.pid, *self.children().values()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)  # so that none of them acts on the death of another
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(20)
        self.start()

    def posts_taken(self):
        """Entries of posts that core keeps, since their senders may not know."""
        database = sqlite3.connect(f"file:{self.folder}/state.db?mode=ro", uri=True)
        try:
            return database.execute("SELECT coalesce(sum(length(hashes)), 0) / 8 FROM posts_taken").fetchone()[0]
        finally:
            database.close()

    def posts_taken_steadily(self):
        """The same in a tuple; nothing while it still changes: who has heard is told once a second."""
        count = self.posts_taken()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            if self.posts_taken() != count:
                return None
        return (count,)

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl.create_default_context(cafile=self.ca), timeout=timeout)

    def run(self, *words):
        """One of the program's own commands, asked of this centre."""
        return subprocess.run([PROGRAM, "--lang", "en", *words], capture_output=True, text=True, timeout=120)

    def sender_token(self, name):
        done = self.run("centre", "sender-token", "--folder", self.folder, "--bare", name)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def ask(self, method, path, body=None):
        """As the console asks. The answer's JSON, or text."""
        call = self.connect()
        head = {"X-Canhgac": "1", "Content-Type": "application/json"}
        if self.cookie:
            head["Cookie"] = self.cookie
        call.request(method, path, json.dumps(body) if body is not None else None, head)
        answer = call.getresponse()
        text = answer.read().decode("utf-8")
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text.startswith(("{", "[")) else text

    def log_in(self):
        # hashing a password takes a busy machine longer than the command waits
        first = wait_for(lambda: self.run("centre", "password", "--folder", self.folder, "--bare", "admin").stdout.strip(), "the password")
        self.ask("POST", "/api/v1/login", {"user": "admin", "password": first})
        self.ask("POST", "/api/v1/me/password", {"old": first, "new": PASSWORD})
        self.ask("POST", "/api/v1/login", {"user": "admin", "password": PASSWORD})

    def numbers(self, word):
        """Of the entries "WORD nr N" in the archive: each N as often as it is there."""
        done = subprocess.run([PROGRAM, "search", "--centre", self.folder, "--limit", "0", "--json", word], capture_output=True, timeout=120)
        return [int(number) for number in re.findall(rf"{word} nr (\d+)".encode(), done.stdout)]

    def alert_with(self, word):
        """The sheet of an alert of the logs' detector in which the word stands, as text."""
        for one in self.ask("GET", "/api/v1/alerts?limit=100")["items"]:
            sheet = json.dumps(self.ask("GET", f"/api/v1/alerts/{one['number']}"), ensure_ascii=False)
            if one["detector"] == "logs" and word in sheet:
                return sheet
        return None

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
