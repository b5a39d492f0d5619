"""Ports on loopback for servers that a test starts. A port that the kernel picks may go to a client before the server has
bound it, or while the server starts anew, and is then kept for a minute: other tests run beside. These are from below
what the kernel gives to clients, so that nobody but another test's own pick can take one; where it gives them nearly all,
from above as well."""
import random
import socket

LOWEST = 10000
given = set()


def below_clients():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first = int(file.read().split()[0])
    except OSError:
        first = 32768
    return first if first > LOWEST + 2000 else 65536


def free_port(kind=socket.SOCK_STREAM):
    """One that nobody has now and that was not handed out before."""
    candidates = [port for port in range(LOWEST, below_clients()) if port not in given]
    for port in random.SystemRandom().sample(candidates, len(candidates)):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        given.add(port)
        return port
    raise OSError(f"no port from {LOWEST} on is free")
