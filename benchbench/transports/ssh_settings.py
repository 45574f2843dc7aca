"""What the user's ssh config says about a host: ssh itself is asked, paramiko reads where there is no ssh to ask."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import paramiko

from benchbench.values.account import expanded, home, user_name
from benchbench.values.errors import InputError

_PATIENCE_S = 20  # a Match exec of the user's own may ask a network
_NOT_IN_A_HOST = re.compile(r"""['"`$\\;&<>|(){},\s\x00-\x1f\x7f]|^-""")  # as OpenSSH's own valid_hostname has it
_NOT_IN_A_USER = re.compile(r"""['"`;&<>|(){}\x00-\x1f\x7f]|^-|\\$""")  # and its valid_ruser

Settings = dict[str, list[str]]  # keyword in small letters -> its values, each as ssh writes it


@dataclass(frozen=True, slots=True)
class SshConfig:
    """The user's ssh config, or the one that a device file names (`theirs`), which may run nothing here."""

    path: Path | None
    theirs: bool

    @classmethod
    def chosen(cls, named: str | None) -> SshConfig:
        """The file that a device file names, else the user's own; raises InputError when that one may not be used."""
        if named is None:
            usual = (home() or Path("/nonexistent")) / ".ssh" / "config"
            return cls(usual if usual.is_file() else None, theirs=False)
        path = expanded(named, "config")
        if not path.is_file():
            raise InputError(f"{path}: there is no such ssh config", remedy="correct `config`")
        _refuse_what_runs(path)
        return cls(path, theirs=True)

    def about(self, host: str, user: str | None = None, port: int | None = None) -> Settings:
        """All that holds for one host; raises InputError for a config that cannot be used."""
        # Both come from device files, and stand in commands of the config as %h and %r.
        if _NOT_IN_A_HOST.search(host):
            raise InputError(f"ssh {host!r}: is no host name", remedy="correct `host`")
        if user is not None and _NOT_IN_A_USER.search(user):
            raise InputError(f"ssh {host}: {user!r} is no user name", remedy="correct `user`")
        account = _account()
        program = shutil.which("ssh")
        if program is None or account is None:
            return self._by_paramiko(host)
        return self._by_ssh(program, account, host, user, port)

    def _by_ssh(
        self, program: str, account: pwd.struct_passwd, host: str, user: str | None, port: int | None
    ) -> Settings:
        # Only without -F does ssh read the system's config too; but then the user's is where the passwd entry says.
        its_own = Path(account.pw_dir) / ".ssh" / "config"
        file = [] if not self.theirs and self.path in {None, its_own} else ["-F", str(self.path)]
        if self.path is None and home() != Path(account.pw_dir):
            file = ["-F", "none"]
        asked = [program, "-G", *file, *(["-l", user] if user else []), *(["-p", str(port)] if port else [])]
        try:
            done = subprocess.run(
                [*asked, "--", host],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{self._name}: ssh -G {host} has no answer after {_PATIENCE_S} s",
                remedy="look at its Match exec lines",
            ) from error
        if done.returncode != 0:
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            reason = next((line for line in said if " line " in line), said[-1] if said else "no reason given")
            raise InputError(f"ssh {host}: {reason}", remedy=f"correct it; ssh -G {host} shows what holds for it")
        found: Settings = {}
        for line in done.stdout.splitlines():
            keyword, _, value = line.partition(" ")
            found.setdefault(keyword.lower(), []).append(_at_our_home(value, account.pw_dir))
        return found

    def _by_paramiko(self, host: str) -> Settings:
        """The same with fewer words: paramiko knows no Include, and what it cannot read is an error."""
        if self.path is None:
            return {}
        if user_name() is None:
            raise InputError(
                f"{self._name}: uid {os.getuid()} has no name here, and reading an ssh config needs one",
                remedy="set LOGNAME",
            )
        try:
            text = self.path.read_text()
            if any(keyword == "include" for keyword, _ in _lines(text)):
                raise InputError(
                    f"{self._name}: Include is followed by ssh only, which is not to be had here",
                    remedy="install openssh-client, or write the host's lines into this file",
                )
            found = paramiko.SSHConfig.from_text(text).lookup(host)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise InputError(f"{self._name}: cannot be read: {error}") from error
        except (paramiko.SSHException, ImportError) as error:
            raise InputError(f"{self._name}: {error}", remedy="install openssh-client, which reads more") from error
        return {key: value if isinstance(value, list) else [value] for key, value in found.items() if value is not None}

    @property
    def _name(self) -> str:
        return str(self.path or "ssh config")


def _account() -> pwd.struct_passwd | None:
    """The passwd entry that ssh insists on."""
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        return None


def _at_our_home(value: str, its_home: str) -> str:
    """Paths in ~/.ssh are meant to be in HOME's, which ssh does not look at."""
    return re.sub(rf"(?<!\S){re.escape(its_home.rstrip('/'))}/(?=\.ssh/)", "~/", value)


def _lines(text: str) -> list[tuple[str, str]]:
    """Keyword and the rest of each line, without the marks that ssh lets stand around words."""
    bare = [re.sub(r"""["'\\]""", "", line).lstrip(" \t\f\v=") for line in text.splitlines()]
    split = [re.split(r"[\s=]+", line, maxsplit=1) for line in bare if line and not line.startswith("#")]
    return [(words[0].lower(), words[1] if len(words) > 1 else "") for words in split]


def _refuse_what_runs(path: Path) -> None:
    """`ssh -G` would run a Match exec, also of an included file; a ProxyCommand is refused when it is met."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    for keyword, rest in _lines(text):
        if keyword == "match" and re.search(r"\bexec\b", rest, re.IGNORECASE):
            raise InputError(f"{path}: Match exec would run a program that the file names", remedy="remove it")
        if keyword == "include":
            raise InputError(
                f"{path}: Include is followed only in ~/.ssh/config, not in a file that a device file names",
                remedy="write the host's lines into this file",
            )
    if "\0" in text:
        raise InputError(f"{path}: is no ssh config", remedy="correct `config`")
