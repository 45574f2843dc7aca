"""Where an SSH address leads, after the user's ssh config has had its say: hosts, ports, keys, jumps.

By hand, since `ssh -G` tells a ProxyJump and the tokens of a ProxyCommand as they are written, and paramiko, which
connects, follows the one and fills in the other for nobody.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchbench.transports.ssh_settings import Settings, SshConfig
from benchbench.values.account import expanded, home, user_name
from benchbench.values.device import Ssh
from benchbench.values.errors import InputError

_USUAL_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"
_MOST_JUMPS = 10


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way, the last one being the device itself."""

    host: str
    port: int
    user: str
    alias: str  # the name its host key is known by
    keys: tuple[str, ...]  # private key files; () = the usual ones
    known_hosts: tuple[Path, ...]
    agent: bool
    proxy_command: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f" port {self.port}" if self.port != 22 else "")


def route(address: Ssh) -> tuple[Hop, ...]:
    """The servers to log in to, one through the other; raises InputError for a config that cannot be used."""
    config = SshConfig.chosen(address.config)
    target = _Wanted(address.host, address.port, address.user, address.key)
    hops = _route(config, target, address.known_hosts, depth=0)
    if config.theirs and any(hop.proxy_command for hop in hops):
        raise InputError(
            f"{config.path}: ProxyCommand is followed only in ~/.ssh/config, not in a file that a device file names",
            remedy="use ProxyJump",
        )
    return hops


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    port: int | None = None
    user: str | None = None
    key: str | None = None


def _route(config: SshConfig, wanted: _Wanted, known_hosts: str | None, depth: int) -> tuple[Hop, ...]:
    if depth > _MOST_JUMPS:
        raise InputError(f"ssh {wanted.name}: ProxyJump leads in a circle", remedy="correct the ssh config")
    found = config.about(wanted.name, wanted.user, wanted.port)
    jumps = [jump.strip() for jump in _first(found, "proxyjump", "none").split(",")]
    jumps = [jump for jump in jumps if jump.lower() not in {"none", ""}]
    before: tuple[Hop, ...] = ()
    for position, jump in enumerate(jumps):
        through = _route(config, _parse_jump(jump), known_hosts, depth + 1)
        before += through if position == 0 else through[-1:]  # only the first is reached by its own way
    return (*before, _hop(found, wanted, known_hosts, jumped=bool(jumps)))


def _first(found: Settings, keyword: str, otherwise: str) -> str:
    """ssh takes the first value of a keyword."""
    return next(iter(found.get(keyword, ())), otherwise)


def _parse_jump(jump: str) -> _Wanted:
    user, _, place = jump.removeprefix("ssh://").rpartition("@")
    bracketed = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:]+)(?::(\d+))?", place)
    if bracketed is None:
        return _Wanted(place, user=user or None)
    host, port = bracketed[1] or bracketed[3], bracketed[2] or bracketed[4]
    return _Wanted(host, _port(port, place) if port else None, user or None)


def _hop(found: Settings, wanted: _Wanted, known_hosts: str | None, *, jumped: bool) -> Hop:
    host = _first(found, "hostname", wanted.name)
    port = wanted.port or _port(_first(found, "port", "22"), wanted.name)
    user = wanted.user or _first(found, "user", "") or user_name()
    if user is None:
        raise InputError(f"ssh {wanted.name}: this account has no name to log in with", remedy="give `user`")
    usual = f"{_first(found, 'userknownhostsfile', _USUAL_KNOWN_HOSTS)} {_SYSTEM_KNOWN_HOSTS}".split()
    known = [file for file in usual if home() or not file.startswith("~")]
    files = [*([known_hosts] if known_hosts else []), *known]
    words = {"%%": "%", "%h": host, "%n": wanted.name, "%p": str(port), "%r": user, "%u": user_name() or user}
    command = _first(found, "proxycommand", "none")
    return Hop(
        host=host,
        port=port,
        user=user,
        alias=_first(found, "hostkeyalias", host if port == 22 else f"[{host}]:{port}"),
        keys=_keys(found, wanted, words | {"%d": str(home() or "~")}),
        known_hosts=tuple(expanded(file, "known_hosts") for file in files),
        agent=_first(found, "identityagent", "").lower() != "none"
        and _first(found, "identitiesonly", "no").lower() not in {"yes", "true"},
        proxy_command=None if jumped or command.lower() == "none" else _command(command, words, wanted.name),
    )


def _port(text: str, name: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise InputError(f"ssh {name}: port {text!r} is no number from 1 to 65535", remedy="correct the ssh config")
    return int(text)


def _command(text: str, words: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The words of a ProxyCommand; split first, so that what stands for a token stays one word."""
    try:
        return tuple(_replaced(word, words) for word in shlex.split(text))
    except ValueError as error:
        raise InputError(f"ssh {name}: ProxyCommand {text!r}: {error}", remedy="correct the ssh config") from error


def _replaced(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"%.", lambda found: words.get(found[0], found[0]), text)


def _keys(found: Settings, wanted: _Wanted, words: Mapping[str, str]) -> tuple[str, ...]:
    """An explicit key must be there; of those in the config the ones that exist, as ssh does."""
    if wanted.key is not None:
        key = expanded(wanted.key, f"ssh {wanted.name}: key")
        if not key.is_file():
            raise InputError(f"ssh {wanted.name}: there is no private key {key}", remedy="correct `key`")
        return (str(key),)
    named = [_replaced(file, words) for file in found.get("identityfile", []) if home() or not file.startswith("~")]
    keys = [expanded(file, "IdentityFile") for file in named]
    return tuple(str(key) for key in keys if key.is_file())
