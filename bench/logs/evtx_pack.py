"""One full EVTX file out of many nearly empty ones: every chunk that holds records is filled with copies of them, which name the
chunk's templates by their offsets as Windows writes them, and all chunks stand in one file behind one head."""
import struct
import zlib

CHUNK, CHUNK_HEAD, RECORD_HEAD, FILE_HEAD = 65536, 512, 24, 4096
FRAGMENT, INSTANCE, XML = b"\x0f\x01\x01\x00", 0x0C, 0x21


def u16(data, at):
    return struct.unpack_from("<H", data, at)[0]


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def bare(chunk, at, end):
    """The fragment there without the templates that stand in it; None where it is no instance of one."""
    head = FRAGMENT if chunk[at:at + 4] == FRAGMENT else b""
    at += len(head)
    if end - at < 14 or chunk[at] != INSTANCE:
        return None
    front = chunk[at:at + 10]
    values = at + 10
    if u32(chunk, at + 6) == values:
        values += 24 + u32(chunk, values + 20)
    count = u32(chunk, values)
    data = values + 4 + 4 * count
    sizes, texts = [], []
    for i in range(count):
        size, kind = struct.unpack_from("<HB", chunk, values + 4 + 4 * i)
        text = chunk[data:data + size]
        if kind == XML and size > 0:
            text = bare(chunk, data, data + size)
            if text is None:
                return None
        sizes.append(struct.pack("<HBB", len(text), kind, 0))
        texts.append(text)
        data += size
    return head + front + struct.pack("<I", count) + b"".join(sizes) + b"".join(texts)


def records(chunk):
    at = CHUNK_HEAD
    while at + RECORD_HEAD < CHUNK and chunk[at:at + 4] == b"\x2a\x2a\0\0":
        size = u32(chunk, at + 4)
        yield at, size
        at += size


def fill(chunk, first):
    """The chunk with its records numbered from first, filled up with copies; and how many it then has."""
    found = list(records(chunk))
    copies = [(chunk[at + 16:at + 24], bare(chunk, at + RECORD_HEAD, at + size - 4)) for at, size in found]
    copies = [copy for copy in copies if copy[1] is not None]
    out = bytearray(chunk)
    end, last, count = CHUNK_HEAD, CHUNK_HEAD, 0
    for at, size in found:
        struct.pack_into("<Q", out, at + 8, first + count)
        last, end, count = at, at + size, count + 1
    while copies:
        time, body = copies[count % len(copies)]
        size = (RECORD_HEAD + len(body) + 4 + 7) // 8 * 8
        if end + size > CHUNK:
            break
        out[end:end + size] = (struct.pack("<4sIQ", b"\x2a\x2a\0\0", size, first + count) + time + body).ljust(size - 4, b"\0") + struct.pack("<I", size)
        last, end, count = end, end + size, count + 1
    out[end:] = bytes(CHUNK - end)
    struct.pack_into("<QQQQIII", out, 8, first, first + count - 1, first, first + count - 1, 128, last, end)
    struct.pack_into("<I", out, 52, zlib.crc32(out[CHUNK_HEAD:end]))
    struct.pack_into("<I", out, 124, zlib.crc32(out[128:CHUNK_HEAD], zlib.crc32(out[:120])))
    return bytes(out), count


def pack(paths, target, rounds):
    """Writes the file, each chunk of the paths so many times; returns how many records it has."""
    chunks, count = 0, 0
    with open(target, "wb") as file:
        file.write(bytes(FILE_HEAD))
        for _ in range(rounds):
            for path in paths:
                with open(path, "rb") as source:
                    data = source.read()
                for at in range(FILE_HEAD, len(data) - CHUNK + 1, CHUNK):
                    if data[at:at + 8] != b"ElfChnk\0" or next(records(data[at:at + CHUNK]), None) is None:
                        continue
                    chunk, more = fill(data[at:at + CHUNK], count + 1)
                    file.write(chunk)
                    chunks, count = chunks + 1, count + more
        head = bytearray(FILE_HEAD)
        struct.pack_into("<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, chunks - 1, count + 1, 128, 1, 3, FILE_HEAD, min(chunks, 65535))
        struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
        file.seek(0)
        file.write(head)
    return count
