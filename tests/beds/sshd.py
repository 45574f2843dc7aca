"""A board: a real OpenSSH server on a loopback port, with keys, a home and (as root) parts of /sys of its own."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from benchbench.values.device import Ssh
from tests.beds.adb_server import free_port
from tests.beds.namespaces import MARK, can_mount, fstab, mount_own_lock, power_off
from tests.beds.sysfs import FakeSys

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Board:
    """One sshd; the user is whoever runs the tests. `address` needs nothing from the user's own ssh files."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        disk_mb: int | None = None,
        sftp: bool = True,
        login_shell: str | None = None,
        second_account: bool = False,
    ) -> None:
        """`disk_mb` gives the home a size, in memory, and it needs root as `second_account` does (see `ann`).

        `login_shell` is a program, such as tcsh.
        """
        self._folder = folder
        self._disk_mb = disk_mb
        self._sftp = sftp
        self._login_shell = login_shell
        self._second_account = second_account
        self._process: subprocess.Popen[bytes] | None = None
        self.host = host
        self.port = free_port()
        self.user = getpass.getuser()
        self.home = folder / "home"
        self.home.mkdir()
        self.sys = FakeSys(folder / "sys")
        self.key = folder / "id_ed25519"
        self.host_key = folder / "ssh_host_ed25519_key"
        make_key(self.key)
        make_key(self.host_key)
        self.known_hosts = folder / "known_hosts"
        self.know_host()
        self.config = folder / "ssh_config"
        self.config.write_text(f"UserKnownHostsFile {self.known_hosts}\nIdentityAgent none\n")
        (folder / "authorized_keys").write_text(public(self.key))

    @property
    def address(self) -> Ssh:
        return Ssh(
            host=self.host,
            port=self.port,
            user=self.user,
            key=str(self.key),
            known_hosts=str(self.known_hosts),
            config=str(self.config),
        )

    @property
    def ann(self) -> Ssh:
        """A user with no rights but her own; her home is /home/ann, and /home/shared is everybody's."""
        return self.address.model_copy(update={"user": "ann"})

    @property
    def workdir(self) -> str:
        """A folder of the board's own, as the board names it."""
        return str(self.home)

    def know_host(self) -> None:
        """Write the board's host key down as known."""
        kind, key, *_ = public(self.host_key).split()
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {kind} {key}\n")

    def __enter__(self) -> Board:
        if SSHD is None:
            raise RuntimeError("there is no sshd")
        config = self._folder / "sshd_config"
        config.write_text("\n".join([*self._settings(), ""]))
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # the privilege separation folder of Debian's sshd
        log = self._folder / "sshd.log"
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [*self._room(), SSHD, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stderr=stream,
                start_new_session=True,
            )
        until = time.monotonic() + 120
        while "Server listening" not in log.read_text():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text())
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self.stop()

    def stop(self) -> None:
        """The power is gone: no server, no session, nothing running."""
        if self._process is not None:
            self.kill_sessions()
            self._process.kill()
            self._process.wait()
        power_off(self._folder)

    def reboot(self) -> None:
        """Everything ends and the server starts again, at the same place, in a boot with another id."""
        self.stop()
        self.sys.boot_anew()
        self.__enter__()

    # what can happen to it

    def kill_sessions(self) -> None:
        """Every connection is gone at once; what ran on the board runs on."""
        self._signal(signal.SIGKILL, self._servers()[1:])

    def freeze(self) -> None:
        """Nothing is answered any more, and nothing closed."""
        self._signal(signal.SIGSTOP, self._servers())

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, self._servers())

    def make_read_only(self) -> None:
        """The home's disk takes no more writes; needs `disk_mb`."""
        assert self._process is not None
        remount = ["mount", "-o", "remount,ro", str(self.home)]
        subprocess.run(["nsenter", "-t", str(self._process.pid), "-m", *remount], check=True)

    def heat(self, celsius: float) -> None:
        self.sys.heat(celsius)

    # how it is made

    def _settings(self) -> list[str]:
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        version = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
        number = re.search(r"OpenSSH_(\d+)\.(\d+)", version)
        penalties = number is not None and (int(number[1]), int(number[2])) >= (9, 8)
        return [
            f"ListenAddress {bracketed}:{self.port}",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self._folder}/authorized_keys",
            f"PidFile {self._folder}/sshd.pid",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "PrintMotd no",
            "UseDNS no",
            *(["Subsystem sftp internal-sftp"] if self._sftp else []),
            *([f'ForceCommand exec {self._login_shell} -c "$SSH_ORIGINAL_COMMAND"'] if self._login_shell else []),
            "MaxSessions 50",
            "MaxStartups 100:30:200",
            # SHLVL: Debian's bash would read ~/.bashrc for every command
            f"SetEnv HOME={self.home} {MARK}={self._folder} SHLVL=2",
            *(["PerSourcePenalties no"] if penalties else []),
            "Match User ann",
            "AuthorizedKeysFile /home/ann/authorized_keys",
            f"SetEnv HOME=/home/ann {MARK}={self._folder} SHLVL=2",
        ]

    def _room(self) -> list[str]:
        """As root: a mount namespace with the board's /sys and lock, and a passwd file with its home for the user."""
        if not can_mount():
            return []
        passwd = self._folder / "passwd"
        lines = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
        for line in lines:
            if line[0] == self.user:
                line[5] = str(self.home)
        if self._second_account:
            lines.append(["ann", "*", "4321", "4321", "", "/home/ann", "/bin/sh"])
        passwd.write_text("".join(":".join(line) + "\n" for line in lines))
        table = self._folder / "fstab"
        table.write_text(fstab({Path("/etc/passwd"): passwd, **self.sys.places()}))
        mounts = f"mount -a -T {shlex.quote(str(table))}\n{mount_own_lock()}\n"
        if self._disk_mb is not None:
            mounts += f"mount -t tmpfs -o size={self._disk_mb}m board {shlex.quote(str(self.home))}\n"
        if self._second_account:
            mounts += (
                "mount -t tmpfs -o mode=755 homes /home && mkdir -m 777 /home/shared && mkdir /home/ann && "
                f"cp {shlex.quote(str(self._folder / 'authorized_keys'))} /home/ann && chown -R 4321:4321 /home/ann\n"
            )
        return ["unshare", "-m", "sh", "-c", f'{mounts}exec "$@"', "sh"]

    def _servers(self) -> list[int]:
        """The listening sshd and those of its sessions: its descendants of that name."""
        if self._process is None or self._process.poll() is not None:
            return []
        found = [self._process.pid]
        for parent in found:
            found += [pid for pid in children(parent) if _name(pid).startswith("sshd")]
        return found

    def _signal(self, number: int, pids: Sequence[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def make_key(path: Path, *, passphrase: str = "") -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "bench", "-f", str(path)], check=True)


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text()


def children(parent: int) -> list[int]:
    listed: list[int] = []
    with suppress(FileNotFoundError):  # it has ended
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                listed += map(int, task.read_text().split())
    return listed


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""
