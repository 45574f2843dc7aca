"""TCP options for a link to a device."""

from __future__ import annotations

import socket


def prepare(connection: socket.socket) -> None:
    """Send small packets at once, and let the kernel notice a silently cut link in about 10 s.

    Without TCP_NODELAY every SSH command waits 40 ms for a delayed acknowledgement. TCP_USER_TIMEOUT covers data that
    waits to be acknowledged, which keep-alive does not.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {"TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
