"""Web servers for the tests of the website watch: nginx, Apache with PHP, one that breaks every rule, and a name server,
all on loopback, in a scratch folder, ended by their number."""
import gzip
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ports import free_port  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BOUND = 60  # seconds; nothing that is waited for is timed: only what hangs waits so long
BOMB = gzip.compress(b"\0" * (64 << 20))
CRUMBS = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * (1 << 19) + b"\1\0\0\xff\xff" + bytes(8)  # 2.5 MB of blocks of nothing
PAGE = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Cổng thông tin điện tử xã An Hòa</title></head>
<body><h1>UBND xã An Hòa</h1><nav><a href="/gioi-thieu.html">Giới thiệu</a> <a href="/thu-tuc.html">Thủ tục hành chính</a></nav>
<main><h2>Tin tức</h2><p>Sáng nay, Ủy ban nhân dân xã đã tổ chức hội nghị triển khai nhiệm vụ công tác quý tới.</p>
<p>Lịch tiếp công dân định kỳ vào thứ năm hằng tuần tại trụ sở xã.</p><p>Kế hoạch tiêm chủng cho trẻ em năm học mới.</p></main>
<footer>Địa chỉ: thôn Đông, xã An Hòa. Điện thoại: 0254 000 000</footer></body></html>
"""
PLANTED = """<h2>Nhà cái uy tín số 1 Việt Nam - nổ hũ đổi thưởng</h2><p>Đăng ký nhận ngay 88k, nạp rút siêu tốc, tỷ lệ kèo nhà cái
hôm nay, game bài đổi thưởng, cá cược bóng đá, xóc đĩa online.</p><a href="https://nhacai-uytin88.example/dang-ky">Link vào nhà cái</a>"""


def is_known(wanted, names):
    """Whether there is a test of each name that was asked for; else says which there are."""
    strange = [name for name in wanted if name not in names]
    if strange:
        print(f"there is no test '{strange[0]}'; there are: {', '.join(names)}", file=sys.stderr)
    return not strange


def wait_for(what, condition):
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise RuntimeError(f"{what} did not happen within {BOUND} s")


def is_open(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def plain_name(wire):
    labels = []
    while wire[0] != 0:
        labels.append(wire[1:1 + wire[0]].decode().lower())
        wire = wire[1 + wire[0]:]
    return ".".join(labels)


class Names(threading.Thread):
    """A name server: every name below .test is here, by way of another name where aliases says so, but those that are gone; everything
    else does not exist."""

    def __init__(self):
        super().__init__(daemon=True)
        self.aliases = {}
        self.fleeting = set()  # hold for a second only
        self.gone = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            end = query.index(b"\0", 12) + 5
            kind = struct.unpack(">H", query[end - 4:end - 2])[0]
            name = plain_name(query[12:end - 4])
            is_known = name.endswith(".test") and name not in self.gone
            answers = is_known and kind == 1
            address = struct.pack(">HHIH", 1, 1, 1 if name in self.fleeting else 60, 4) + b"\x7f\0\0\1"
            alias = wire_name(self.aliases.get(name, "")) if answers else b"\0"
            head = query[:2] + struct.pack(">HHHHH", 0x8180 if is_known else 0x8183, 1, answers + (alias != b"\0"), 0, 0)
            body = b"\xc0\x0c" + address if answers else b""
            if alias != b"\0":
                body = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, len(alias)) + alias + alias + address
            self.socket.sendto(head + query[12:end] + body, peer)


class Rude(threading.Thread):
    """Answers every request in a way that no server should; the path says which."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.ending = threading.Event()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    request += piece
                name = request.split(b" ")[1].decode().strip("/").replace("-", "_")
                getattr(self, name, self.plain)(connection)
            except OSError:
                pass

    def drip(self, connection, first, piece):
        connection.sendall(first)
        while not self.ending.wait(0.2):
            connection.sendall(piece)

    def plain(self, connection):
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def slow_header(self, connection):
        self.drip(connection, b"HTTP/1.1 200 OK\r\n", b"X")

    def slow_body(self, connection):
        self.drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<html>", b"a")

    def endless_body(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>")
        while True:
            connection.sendall(os.urandom(49152).hex().encode())

    def endless_headers(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")

    def bomb(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)

    def crumbs(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(CRUMBS) + CRUMBS)

    def old_charset(self, connection):
        body = b"<html><head><meta charset=utf-8><title>Th\xf4ng tin</title></head><body><p>UBND x\xe3</p></body></html>"
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/html; Charset="windows-1258"\r\nContent-Length: %d\r\n\r\n'
                           % len(body) + body)

    def garbage(self, connection):
        connection.sendall(b"\x00\xff\x13SSH-2.0 what is this\r\n" * 20)

    def torn(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n<html><body>half")

    def bad_chunks(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<html>\r\n0\r\n\r\n")

    def nothing(self, connection):
        pass

    def empty(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def end_on_signal(number, _):
    sys.exit(128 + number)


class World:
    def __init__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):  # so that close() is reached
            signal.signal(number, end_on_signal)
        self.folder = tempfile.mkdtemp(prefix="canhgac-watch.")
        self.root = os.path.join(self.folder, "www")
        os.mkdir(self.root)
        os.chmod(self.folder, 0o755)
        self.started = []
        self.names, self.rude = Names(), Rude()
        self.names.start()
        self.rude.start()
        self.http, self.https, self.php = free_port(), free_port(), free_port()
        self.write("index.html", PAGE)
        self.make_certificates()

    def write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def make_certificates(self):
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/O=CA of the test/CN=ca")
        self.openssl("req", "-x509", *ec, "-keyout", "self.key", "-out", "self.pem", "-days", "30", "-subj", "/CN=self.test",
                     "-addext", "subjectAltName=DNS:self.test")
        for name, host, days in (("good", "good.test", "30"), ("expired", "expired.test", "-1"), ("wrong", "another.test", "30")):
            with open(os.path.join(self.folder, name + ".ext"), "w", encoding="ascii") as file:
                file.write(f"subjectAltName=DNS:{host}\n")
            self.openssl("req", "-new", *ec, "-keyout", name + ".key", "-out", name + ".csr", "-subj", f"/CN={host}")
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                         "-out", name + ".pem", "-days", days, "-extfile", name + ".ext")

    def start(self, what, command, port):
        # Apache signals its whole group when it ends: it must be a group of its own. Whoever kills the test ends it too.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], cwd=self.folder, stdin=subprocess.DEVNULL, start_new_session=True,
                                   stdout=open(os.path.join(self.folder, what + ".log"), "w"), stderr=subprocess.STDOUT)
        self.started.append(process)
        try:
            wait_for(f"{what} listening", lambda: is_open(port))
        except RuntimeError as late:
            with open(os.path.join(self.folder, what + ".log"), encoding="utf-8", errors="replace") as file:
                raise RuntimeError(f"{late}: {file.read()}") from None

    def start_nginx(self):
        hosts = "".join(f"""
  server {{ listen 127.0.0.1:{self.https} ssl http2; server_name {name}.test; root {self.root};
    set $strict ""; if (-f {self.root}/strict) {{ set $strict "max-age=31536000; includeSubDomains"; }}
    if (-f {self.root}/taken-back) {{ set $strict "max-age=0"; }} add_header Strict-Transport-Security $strict;
    ssl_certificate {self.folder}/{name}.pem; ssl_certificate_key {self.folder}/{name}.key; }}"""
                        for name in ("good", "expired", "self", "wrong"))
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"""daemon off; master_process off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.err;
events {{ worker_connections 512; }}
http {{ access_log {self.folder}/nginx.access; client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2;
  fastcgi_temp_path {self.folder}/t3; uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  types {{ text/html html; }} gzip on; gzip_types text/html;
  log_format seen '$server_protocol $status $ssl_server_name $http_user_agent $request_uri'; access_log {self.folder}/seen.log seen;
  server {{ listen 127.0.0.1:{self.http} default_server; server_name good.test; root {self.root};
    location = /loop {{ return 302 /loop; }}
    location ~ ^/many/(\\d+)$ {{ return 302 /many/$11; }}
    location = /up {{ return 301 https://good.test:{self.https}/; }}
    location = /elsewhere {{ return 302 https://nhacai-uytin88.example/; }}
    location = /file {{ return 302 file:///etc/passwd; }}
    location = /gone {{ return 410; }}
    location = /broken {{ return 503; }} }}{hosts}
}}
""")
        self.start("nginx", ["nginx", "-p", self.folder, "-c", os.path.join(self.folder, "nginx.conf")], self.http)

    def start_apache(self):
        modules = "/usr/lib/apache2/modules"
        php = next(name for name in sorted(os.listdir(modules)) if name.startswith("libphp"))
        self.write("cloak-crawler.php", f"<?php $p = file_get_contents('index.html'); if (strpos($_SERVER['HTTP_USER_AGENT'], "
                   f"'Googlebot')) $p = str_replace('<main>', '<main>{PLANTED}', $p); echo $p;")
        self.write("cloak-search.php", "<?php if (file_exists('attack') && strpos($_SERVER['HTTP_REFERER'] ?? '', 'google')) "
                   "{ header('Location: https://nhacai-uytin88.example/'); exit; } readfile('index.html');")
        self.write("moving.php", "<?php echo str_replace('</footer>', ' Lượt xem: ' . rand() . ' ' . date('H:i:s') . '</footer>', "
                   "file_get_contents('index.html'));")
        with open(os.path.join(self.folder, "apache.conf"), "w", encoding="ascii") as file:
            file.write(f"""ServerRoot {self.folder}
ServerName good.test
PidFile {self.folder}/apache.pid
ErrorLog {self.folder}/apache.err
Listen 127.0.0.1:{self.php}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule php_module {modules}/{php}
{'User www-data' if os.geteuid() == 0 else ''}
{'Group www-data' if os.geteuid() == 0 else ''}
TypesConfig /etc/mime.types
StartServers 2
<FilesMatch "\\.php$">
SetHandler application/x-httpd-php
</FilesMatch>
DocumentRoot {self.root}
""")
        self.start("apache", ["apache2", "-DFOREGROUND", "-f", os.path.join(self.folder, "apache.conf")], self.php)

    def url(self, path="/", host="good.test"):
        return f"http://{host}:{self.http}{path}"

    def secure(self, name):
        return f"https://{name}.test:{self.https}/"

    def seen(self):
        with open(os.path.join(self.folder, "seen.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        self.rude.ending.set()
        for process in self.started:
            process.terminate()
        for process in self.started:
            try:
                process.wait(timeout=BOUND)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
