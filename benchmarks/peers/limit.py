"""
What the kernel takes: a loop of non-blocking writes of ready frames, and almost nothing of Python around it.

It understands nothing: it knows what is asked for by a word in the bytes, and supposes that no read ends
within a message. The ten events of a tick are one write.
"""

from __future__ import annotations

import json
import select
import socket
import time

from .messages import TICK, make_event, make_reply

SWITCH = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def frame(text: str) -> bytes:
    """Frame one text message of less than 64 KiB."""
    size = len(text)
    return (bytes([0x81, size]) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")) + text.encode()


EVENT = frame(make_event())
CONNECTED = frame(make_reply({"type": "connect"}, 0))
PONG = frame(make_reply({"type": "ping", "timestamp": 1795415952682}, 0))
RESULT = frame(make_reply({"type": "command", "id": "1"}, 0))

clients: dict[int, socket.socket] = {}


def answer(client: socket.socket, data: bytes) -> None:
    """Send the frame that is ready for this."""
    if b'"emit"' in data:
        broadcast(**json.loads(data[data.index(b"{") :])["args"])
    elif b'"ping"' in data:
        client.send(PONG * data.count(b'"ping"'))
    elif b'"command"' in data:
        client.send(RESULT * data.count(b'"command"'))
    else:
        client.send(CONNECTED if b'"connect"' in data else SWITCH)


def broadcast(ticks: int, events: int, at_once: bool) -> None:
    """Send *events* to everybody, in each tick."""
    frames = EVENT * events
    for _ in range(ticks):
        for client in clients.values():
            client.send(frames)
        time.sleep(TICK)


listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
print(listener.getsockname()[1], flush=True)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)
while True:
    for fd, _ in epoll.poll():
        if fd == listener.fileno():
            client, _ = listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            epoll.register(client, select.EPOLLIN)
            clients[client.fileno()] = client
            continue
        data = clients[fd].recv(65536)
        if data:
            answer(clients[fd], data)
        else:
            clients.pop(fd).close()
