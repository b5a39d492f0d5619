"""HTTP/2 servers that answer as none should; the name in the handshake says how: with frames and no page, as fast as they can, or with
half a page and a frame that breaks the rules."""
import contextlib
import os
import socket
import ssl
import struct
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, AWAY, WINDOW, CONTINUATION = range(10)
END_HEADERS, END_STREAM, ACK = 4, 1, 1
FOUND = b"\x88"  # :status 200, in the table that HPACK begins with


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def bomb():
    """One long header kept in the table, then named by a byte each."""
    return FOUND + b"\x40\x01x\x7f\xbd\x1d" + b"v" * 3900 + b"\xbe" * 12000


FLOODS = {  # what comes once, and what comes without end, to a stream
    "empty": lambda stream: (frame(HEADERS, END_HEADERS, stream, FOUND), frame(DATA, 0, stream)),
    "padded": lambda stream: (frame(HEADERS, END_HEADERS, stream, FOUND), frame(DATA, 8, stream, b"\xff" + bytes(255))),
    "reset": lambda stream: (b"", frame(RESET, 0, stream, struct.pack(">I", 7))),
    "window": lambda _: (b"", frame(WINDOW, 0, 0, struct.pack(">I", 1))),
    "away": lambda stream: (b"", frame(AWAY, 0, 0, struct.pack(">II", stream, 0) + bytes(100))),
    "ping": lambda _: (b"", frame(PING, 0, 0, bytes(8))),
    "pong": lambda _: (b"", frame(PING, ACK, 0, bytes(8))),
    "settings": lambda _: (b"", frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535))),
    "priority": lambda _: (b"", b"".join(frame(PRIORITY, 0, other, bytes(5)) for other in range(1, 999, 2))),
    "strange": lambda _: (b"", frame(0xfa, 0, 0, bytes(10))),
    "early": lambda stream: (b"", frame(HEADERS, END_HEADERS, stream, b"\x08\x03103" + field(b"link", b"a" * 50))),
    "push": lambda stream: (b"", frame(PUSH, END_HEADERS, stream, struct.pack(">I", 2) + b"\x82\x84\x87")),
    "continuation": lambda stream: (frame(HEADERS, 0, stream, FOUND), frame(CONTINUATION, 0, stream, field(b"x", b"a" * 100))),
    "bomb": lambda stream: (frame(HEADERS, END_HEADERS, stream, bomb()), frame(DATA, 0, stream)),
}

TORN = {  # what comes behind half a page
    "padding": lambda stream: frame(DATA, 8, stream, b"\xffa"),
    "settings": lambda _: frame(SETTINGS, 0, 0, b"abc"),
    "idle": lambda stream: frame(DATA, 0, stream + 100, b"abc"),
    "nobody": lambda _: frame(DATA, 0, 0, b"abc"),
    "error": lambda stream: frame(RESET, 0, stream, struct.pack(">I", 1)),
    "leaving": lambda stream: frame(AWAY, 0, 0, struct.pack(">II", stream, 0)),
}


class Named(ssl.SSLSocket):
    asked = ""


class Flood(threading.Thread):
    PROTOCOLS = ("h2",)

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sslsocket_class = Named
        self.context.load_cert_chain(os.path.join(folder, "good.pem"), os.path.join(folder, "good.key"))
        self.context.set_alpn_protocols(self.PROTOCOLS)
        self.context.sni_callback = lambda connection, name, _: setattr(connection, "asked", name.split(".")[0])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, plain):
        with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as connection:
            once, endless = FLOODS[connection.asked](self.await_request(connection))
            connection.sendall(once)
            while True:
                connection.sendall(endless * (1 + 65536 // len(endless)))

    def await_request(self, connection):
        """The number of the stream that asks for a page."""
        came = connection.makefile("rb")
        came.read(len(PREFACE))
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            head = came.read(9)
            if len(head) < 9:
                raise OSError
            came.read(int.from_bytes(head[:3], "big"))
            if head[3] == HEADERS:
                return int.from_bytes(head[5:9], "big")


class Modern(Flood):
    """Speaks HTTP/2 alone and closes in good order behind each answer, without a length before it: a whole page, but nobody can tell."""
    PROTOCOLS = ("h2",)

    def __init__(self, folder, page):
        super().__init__(folder)
        self.page = page

    def serve(self, plain):
        with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as connection:
            if connection.selected_alpn_protocol() == "h2":
                stream = self.await_request(connection)
                connection.sendall(frame(HEADERS, END_HEADERS, stream, FOUND) + frame(DATA, END_STREAM, stream, self.page)
                                   + frame(AWAY, 0, 0, struct.pack(">II", stream, 0)))
                connection.recv(1 << 16)


class TwoFaced(Modern):
    """Like it over HTTP/2, which browsers speak, and shows who speaks HTTP/1.1 something else; the name says what."""
    PROTOCOLS = ("h2", "http/1.1")

    def __init__(self, folder, page, other, answers=None, seconds=0):
        super().__init__(folder, page)
        self.seconds = seconds  # that the page takes over HTTP/2
        self.other = other
        self.answers = answers or {}  # whole answers over HTTP/1.1
        self.spoken = []  # a protocol a connection

    def serve(self, plain):
        with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as connection:
            self.spoken.append(connection.selected_alpn_protocol())
            if self.spoken[-1] == "h2":
                stream = self.await_request(connection)
                head = FOUND + field(b"content-type", b"text/html; charset=windows-1258") + field(b"etag", b'"one"')
                connection.sendall(frame(HEADERS, END_HEADERS, stream, head))
                for part in range(self.seconds):
                    connection.sendall(frame(DATA, 0, stream, self.page[part * 100:part * 100 + 100]))
                    time.sleep(1)
                connection.sendall(frame(DATA, END_STREAM, stream, self.page[self.seconds * 100:]) + frame(AWAY, 0, 0, struct.pack(">II", stream, 0)))
                connection.recv(1 << 16)
                return
            connection.recv(1 << 16)
            whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.other) + self.other
            connection.sendall(self.answers.get(connection.asked, whole))


class Torn(Flood):
    """Speaks HTTP/1.1 too, and keeps to its rules: a whole page when "whole" is asked for in it, else the half again."""
    PROTOCOLS = ("h2", "http/1.1")

    def __init__(self, folder, page):
        super().__init__(folder)
        self.page = page
        self.spoken = []  # a protocol a connection

    def serve(self, plain):
        with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as connection:
            self.spoken.append(connection.selected_alpn_protocol())
            if self.spoken[-1] == "h2":
                stream = self.await_request(connection)
                half = frame(HEADERS, END_HEADERS, stream, FOUND) + frame(DATA, 0, stream, self.page[:len(self.page) // 2])
                connection.sendall(half + TORN[connection.asked.removesuffix("-whole")](stream))
                connection.recv(1 << 16)
                return
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.page))
            connection.sendall(self.page if connection.asked.endswith("-whole") else self.page[:len(self.page) // 2])
