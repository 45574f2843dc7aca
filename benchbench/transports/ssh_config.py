"""Where an SSH address leads, after the user's ssh config has had its say: hosts, ports, keys, jumps."""

from __future__ import annotations

import getpass
import re
from dataclasses import dataclass
from pathlib import Path

import paramiko

from benchbench.device import Ssh
from benchbench.errors import InputError

_USUAL_CONFIG = "~/.ssh/config"
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
    proxy_command: str | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f" port {self.port}" if self.port != 22 else "")


def route(address: Ssh) -> tuple[Hop, ...]:
    """The servers to log in to, one through the other; raises InputError for a config that cannot be used."""
    path = Path(address.config or _USUAL_CONFIG).expanduser()
    config = _read(path, theirs=address.config is not None)
    target = _Wanted(address.host, address.port, address.user, address.key)
    try:
        hops = _route(config, target, address.known_hosts, depth=0)
    except (paramiko.SSHException, ImportError) as error:
        raise InputError(f"{path}: {error}", remedy="Match exec and canonical names are not supported") from error
    if address.config is not None and any(hop.proxy_command for hop in hops):
        raise InputError(
            f"{path}: ProxyCommand is followed only in {_USUAL_CONFIG}, not in a file that a device file names",
            remedy="use ProxyJump",
        )
    return hops


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    port: int | None = None
    user: str | None = None
    key: str | None = None


def _read(path: Path, *, theirs: bool) -> paramiko.SSHConfig:
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        if theirs:
            raise InputError(f"{path}: there is no such ssh config", remedy="correct `config`") from error
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if theirs and re.search(r"^\s*match\b.*\bexec\b", text, re.IGNORECASE | re.MULTILINE):
        raise InputError(f"{path}: Match exec would run a program that the file names", remedy="remove it")
    try:
        return paramiko.SSHConfig.from_text(text)
    except paramiko.SSHException as error:
        raise InputError(f"{path}: {error}") from error


def _route(config: paramiko.SSHConfig, wanted: _Wanted, known_hosts: str | None, depth: int) -> tuple[Hop, ...]:
    if depth > _MOST_JUMPS:
        raise InputError(f"ssh {wanted.name}: ProxyJump leads in a circle", remedy="correct the ssh config")
    found = config.lookup(wanted.name)
    jumps = [jump.strip() for jump in found.get("proxyjump", "none").split(",") if jump.strip().lower() != "none"]
    before: tuple[Hop, ...] = ()
    for position, jump in enumerate(jumps):
        through = _route(config, _parse_jump(jump), known_hosts, depth + 1)
        before += through if position == 0 else through[-1:]  # only the first is reached by its own way
    return (*before, _hop(found, wanted, known_hosts, jumped=bool(jumps)))


def _parse_jump(jump: str) -> _Wanted:
    user, _, place = jump.removeprefix("ssh://").rpartition("@")
    bracketed = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:]+)(?::(\d+))?", place)
    if bracketed is None:
        return _Wanted(place, user=user or None)
    host, port = bracketed[1] or bracketed[3], bracketed[2] or bracketed[4]
    return _Wanted(host, int(port) if port else None, user or None)


def _hop(found: paramiko.SSHConfigDict, wanted: _Wanted, known_hosts: str | None, *, jumped: bool) -> Hop:
    host = found.get("hostname", wanted.name)
    port = wanted.port or int(found.get("port", "22"))
    known = f"{found.get('userknownhostsfile', _USUAL_KNOWN_HOSTS)} {_SYSTEM_KNOWN_HOSTS}".split()
    files = [*([known_hosts] if known_hosts else []), *known]
    alias = found.get("hostkeyalias", host if port == 22 else f"[{host}]:{port}")
    command = found.get("proxycommand", "none")
    return Hop(
        host=host,
        port=port,
        user=wanted.user or found.get("user") or getpass.getuser(),
        alias=alias,
        keys=_keys(found, wanted),
        known_hosts=tuple(Path(file).expanduser() for file in files),
        agent=found.get("identityagent", "").lower() != "none" and found.get("identitiesonly", "no").lower() != "yes",
        proxy_command=None if jumped or command.lower() == "none" else command,
    )


def _keys(found: paramiko.SSHConfigDict, wanted: _Wanted) -> tuple[str, ...]:
    """An explicit key must be there; of those in the config the ones that exist, as ssh does."""
    if wanted.key is not None:
        key = Path(wanted.key).expanduser()
        if not key.is_file():
            raise InputError(f"ssh {wanted.name}: there is no private key {key}", remedy="correct `key`")
        return (str(key),)
    named = [Path(str(key)).expanduser() for key in found.get("identityfile", [])]
    return tuple(str(key) for key in named if key.is_file())
