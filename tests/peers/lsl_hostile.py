"""A peer that speaks LSL's discovery protocol and says whatever it is told to.

It answers the questions of one lab network (by its session id) on the loopback and local multicast groups
with a short description, and whoever connects with a full one. Protocol as in liblsl's documentation:
`LSL:shortinfo`, query, return port and id over UDP; `LSL:fullinfo` over TCP.
"""

import contextlib
import os
import re
import socket
import struct
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

PORT = 16571
GROUPS = ("224.0.0.183", "239.255.172.215")
INFO = """<?xml version="1.0"?>
<info>
	<name>{name}</name>
	<type>{type}</type>
	<channel_count>{channel_count}</channel_count>
	<channel_format>{channel_format}</channel_format>
	<source_id>{source_id}</source_id>
	<nominal_srate>{nominal_srate}</nominal_srate>
	<version>1.10</version>
	<created_at>100.5</created_at>
	<uid>{uid}</uid>
	<session_id>{session_id}</session_id>
	<hostname>{hostname}</hostname>
	<v4address>127.0.0.1</v4address>
	<v4data_port>{port}</v4data_port>
	<v4service_port>{port}</v4service_port>
	<v6address />
	<v6data_port>0</v6data_port>
	<v6service_port>0</v6service_port>
	<desc />
</info>
"""
USUAL = {
    "type": "EEG",
    "channel_count": "4",
    "channel_format": "float32",
    "source_id": "hostile",
    "nominal_srate": "250.0",
    "hostname": "elsewhere",
}


def session_id() -> str:
    """The lab network of the tests."""
    found = re.search(r"SessionID = (\w+)", Path(os.environ["LSLAPICFG"]).read_text())
    assert found is not None
    return found[1]


@contextlib.contextmanager
def peer(name: str, full: bytes = b"", **said: str) -> Iterator[None]:
    """Announce a stream of this name; `said` replaces parts of its short description, `full` is the full."""
    lab, over = session_id(), threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ears.bind(("", PORT))
    ears.settimeout(0.1)
    for group in GROUPS:
        for interface in ("0.0.0.0", "127.0.0.1"):
            with contextlib.suppress(OSError):
                member = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
                ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    words = USUAL | {"name": name, "uid": str(uuid.uuid4()), "session_id": lab} | said
    short = INFO.format(**words, port=server.getsockname()[1]).encode("utf-8", "surrogateescape")

    def answer() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                question, (host, _) = ears.recvfrom(65536)
                parts = question.decode("utf-8", "replace").split("\r\n")
                if parts[0] == "LSL:shortinfo" and lab in parts[1] and asked(parts[1], words):
                    port, number = parts[2].split()
                    ears.sendto(number.encode() + b"\r\n" + short, (host, int(port)))

    def describe() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                caller, _ = server.accept()
                with caller:
                    caller.settimeout(2.0)
                    if caller.recv(4096).startswith(b"LSL:fullinfo"):
                        caller.sendall(full)

    threads = [threading.Thread(target=work) for work in (answer, describe)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        ears.close()
        server.close()


def asked(query: str, words: dict[str, str]) -> bool:
    """Whether a query by name means this stream."""
    named = re.search(r"name='([^']*)'", query.replace("hostname=", ""))
    return named is None or named[1] == words["name"]
