"""Logging in to an SSH server: every wait bounded, every host key known, every refusal explained."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
import time
from collections.abc import Sequence

import paramiko

from benchbench.transports.deadline import Deadline
from benchbench.transports.ssh_config import Hop
from benchbench.transports.tcp import prepare
from benchbench.values.errors import DeviceError, InputError, Unauthorized, Unreachable

# What paramiko logs it also raises; without a handler Python would print it.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def log_in(hop: Hop, through: Sequence[paramiko.SSHClient], deadline: Deadline, reached: str) -> paramiko.SSHClient:
    """A client of one hop, reached through those before it; raises Unreachable, Unauthorized or InputError."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_Unknown(hop, reached))
    try:
        _load_known_hosts(client, hop)
        link = _dial(hop, through, deadline)
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _explain(error, hop, reached) from error
    # paramiko may give up without closing, and its waits are not all bounded
    timer = threading.Timer(max(0.0, deadline.at - time.monotonic()), link.close)
    timer.daemon = True
    timer.start()
    try:
        left = deadline.left()
        client.connect(
            hop.alias,
            port=22,  # the alias already has the port in it, as known_hosts writes it
            username=hop.user,
            key_filename=list(hop.keys),  # type: ignore[arg-type]  # the stubs know one file only, paramiko takes several
            allow_agent=hop.agent,
            look_for_keys=not hop.keys,
            sock=link,
            timeout=left,
            banner_timeout=left,
            auth_timeout=left,
            channel_timeout=left,
        )
        return client
    except DeviceError:
        client.close()
        link.close()
        raise
    except (OSError, EOFError, paramiko.SSHException) as error:
        client.close()
        link.close()
        raise _explain(error, hop, reached) from error
    finally:
        timer.cancel()


def _dial(hop: Hop, through: Sequence[paramiko.SSHClient], deadline: Deadline) -> socket.socket | paramiko.Channel:
    """A byte stream to the server: a socket that notices a cut link, or a channel through the hop before."""
    if through:
        transport = through[-1].get_transport()
        if transport is None:
            raise EOFError
        return transport.open_channel("direct-tcpip", (hop.host, hop.port), ("127.0.0.1", 0), timeout=deadline.left())
    if hop.proxy_command:
        return _link_to_command(hop.proxy_command)
    link = socket.create_connection((hop.host, hop.port), timeout=deadline.left())
    prepare(link)
    return link


def _link_to_command(command: Sequence[str]) -> socket.socket:
    """The stdin and stdout of a ProxyCommand, which ends when the socket is closed; no shell reads it."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), start_new_session=True)
        except OSError:
            ours.close()
            raise
    threading.Thread(target=process.wait, daemon=True).start()
    return ours


def _load_known_hosts(client: paramiko.SSHClient, hop: Hop) -> None:
    for file in hop.known_hosts:
        if file.is_file():
            try:
                client.get_host_keys().load(str(file))
            except (paramiko.hostkeys.InvalidHostKey, UnicodeDecodeError) as error:
                raise InputError(f"{file}: not a known_hosts file: {error}") from error


class _Unknown(paramiko.MissingHostKeyPolicy):
    """No key is ever accepted silently."""

    def __init__(self, hop: Hop, reached: str) -> None:
        self._hop = hop
        self._reached = reached

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        hop = self._hop
        raise Unauthorized(
            f"{self._reached}: the host key of {hop.alias} is not known ({key.get_name()} {key.fingerprint})",
            remedy=f"compare it with the board's, then: ssh-keyscan -p {hop.port} {hop.host} >> ~/.ssh/known_hosts",
        )


def _explain(error: Exception, hop: Hop, reached: str) -> DeviceError:
    if isinstance(error, paramiko.BadHostKeyException):
        return Unauthorized(
            f"{reached}: the host key of {hop.alias} has changed, it is {error.key.fingerprint} now: somebody may be "
            "in between, or the board was set up anew",
            remedy=f"if it was: ssh-keygen -R '{hop.alias}', then ssh-keyscan -p {hop.port} {hop.host}",
        )
    if isinstance(error, paramiko.PasswordRequiredException):
        return Unauthorized(f"{reached}: the private key has a passphrase", remedy="load it with: ssh-add")
    if isinstance(error, paramiko.AuthenticationException):
        return Unauthorized(
            f"{reached}: {hop} refuses our keys",
            remedy=f"ssh-copy-id -p {hop.port} {hop.user}@{hop.host}, or set `key`",
        )
    said = str(error) or type(error).__name__
    if "No authentication methods" in said:
        return Unauthorized(f"{reached}: there is no key to log in to {hop} with", remedy="set `key`, or: ssh-add")
    return Unreachable(f"{reached}: {hop}: {said}", remedy="is it on, in this network, and does sshd listen there?")
