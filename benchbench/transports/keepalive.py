"""TCP options that make a cut link show."""

from __future__ import annotations

import socket


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel notice a silently cut link in about 10 s, also while data waits to be acknowledged."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {"TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
