"""Installing the runtime on a board: a virtual environment of ours in its work folder, filled from here.

The board needs python3 and nothing else: no index, no pip, no ensurepip, no venv module. This host resolves and
fetches the wheels for the board's platform and Python with uv, unpacks them as an installation, and pushes that.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchbench.device.session import Session
from benchbench.execution.uv import PATIENCE_S, telling, uv, uv_platform
from benchbench.runtimes import RUNTIMES
from benchbench.runtimes.base import Runtime
from benchbench.runtimes.interpreters import Interpreter, interpreters
from benchbench.values.device import Device, Local
from benchbench.values.errors import DeviceError, InputError, ToolError

IN_PYTHON = tuple(runtime for runtime in RUNTIMES if runtime.packages)

# One JSON line about an interpreter; runs in any Python 3.
_ASK = """\
import json, os, platform, struct, sys, sysconfig
disk = os.statvfs(sys.argv[1])
print(json.dumps({
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "machine": os.uname().machine,
    "bits": 8 * struct.calcsize("P"),
    "libc": list(platform.libc_ver()),
    "free": disk.f_bavail * disk.f_frsize,
}))
"""

# Makes the environment beside the one that is in use: what the venv module does, without needing it.
_BUILD = """\
import os, shutil, sys, zipfile
archive, folder, base = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
packages = os.path.join(folder, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
os.makedirs(packages)
os.mkdir(os.path.join(folder, "bin"))
os.symlink(base, os.path.join(folder, "bin", "python3"))
with open(os.path.join(folder, "pyvenv.cfg"), "w") as file:
    file.write("home = %s\\ninclude-system-site-packages = false\\nversion = %d.%d.%d\\n"
               % ((os.path.dirname(base),) + sys.version_info[:3]))
with zipfile.ZipFile(archive) as wheels:
    wheels.extractall(packages)
os.remove(archive)
"""


class _Answer(BaseModel):
    """What a board's interpreter says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    executable: str
    version: tuple[int, int, int]
    machine: str
    bits: int
    libc: tuple[str, str]
    free: int


@dataclass(frozen=True, slots=True)
class Installation:
    """What is to be installed on a board: packages with their versions, for its interpreter, into `folder`."""

    device: str
    python: str
    version: str
    platform: str  # as uv names it
    folder: str
    packages: tuple[str, ...]
    runtimes: tuple[Runtime, ...]
    free_mb: float

    @property
    def lines(self) -> tuple[str, ...]:
        """What will be done, for a person to agree to."""
        return (
            f"{self.device}: a virtual environment in {self.folder}, from {self.python} (Python {self.version})",
            f"  with {', '.join(self.packages)}",
            f"  fetched here for {self.platform} and pushed; {self.free_mb:,.0f} MB are free there",
            f"  nothing else on it is touched; `benchbench devices --clean {self.device}` removes it",
        )


def examine(session: Session) -> Installation | str:
    """What would be installed on a device, or why nothing need be; raises InputError, DeviceError, ToolError."""
    traits = session.probe()
    device = session.device = session.device.at_home(traits.home)
    if traits.os != "linux":
        raise InputError(
            f"{device.name}: only Linux boards have a Python to equip",
            remedy=f"benchbench tools --get {device.name} fetches benchmark_model for it",
        )
    there = {runtime: _found(session, interpreters(device, traits), runtime) for runtime in IN_PYTHON}
    names = " and ".join(f"{found.runtime} in {found.executable}" for found in there.values() if found)
    if all(there.values()):
        return f"{device.name}: has {names} already"
    if isinstance(device.address, Local):
        best = " ".join(chain.from_iterable(runtime.packages[0] for runtime in IN_PYTHON))
        raise InputError(f"{device.name}: is this machine", remedy=f"pip install {best} into a Python of yours")
    base = device.python or traits.python
    if base is None:
        raise DeviceError(
            f"{device.name}: has no python3", remedy=f"on {device.name}: sudo apt-get install python3, or the like"
        )
    wanted = _planned(session, device, base)
    if all(there[runtime] for runtime in wanted.runtimes):
        return f"{device.name}: has {names} already, and no other runtime is published for it"
    return wanted


def _found(session: Session, pythons: Sequence[str], runtime: Runtime) -> Interpreter | None:
    """The first Python of a device that can import a runtime; None = none can."""
    for python in pythons:
        with suppress(ToolError):
            found = runtime.look_at_python(session, python)
            if found.runtime is not None:
                return found
    return None


def _planned(session: Session, device: Device, base: str) -> Installation:
    done = session.transport.run([base, "-c", _ASK, session.workdir], timeout_s=60)
    try:
        said = _Answer.model_validate_json(done.text.strip().rpartition("\n")[2])
    except ValidationError as error:
        why = (done.error_text.strip().splitlines() or ["it said nothing"])[-1]
        raise DeviceError(f"{device.name}: {base}: {why}", remedy="name another interpreter as `python`") from error
    version = ".".join(map(str, said.version))
    platform = uv_platform(device.name, said.machine, said.bits, said.libc)
    packages, runtimes = _resolved(session, platform, version)
    folder = f"{session.workdir}/python"
    free_mb = said.free / 1e6
    return Installation(device.name, said.executable, version, platform, folder, packages, runtimes, free_mb)


def _resolved(session: Session, platform: str, version: str) -> tuple[tuple[str, ...], tuple[Runtime, ...]]:
    """The packages with their versions, of each runtime the first that exist for such a board; and for which runtimes.

    One that may do without has no packages as its last choice.
    """
    said = ""
    for chosen in product(*(runtime.packages for runtime in IN_PYTHON)):
        asked = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:", "-"]
        target = ["--python-platform", platform, "--python-version", version]
        done = uv(session, [*asked, *target], "\n".join(chain.from_iterable(chosen)))
        if done.returncode == 0:
            runtimes = tuple(runtime for runtime, own in zip(IN_PYTHON, chosen, strict=True) if own)
            return tuple(line.strip() for line in done.stdout.splitlines() if "==" in line), runtimes
        said = said or telling(done.stderr)
    raise ToolError(
        f"{session.device.name}: no runtime for Python {version} on {platform}: {said}",
        remedy=f"is the package index reachable from here? else: benchbench tools --get {session.device.name}",
    )


def install(session: Session, wanted: Installation, tell: Callable[[str], None]) -> str:
    """Fetch, push, build beside what is there, try it, and only then put it in place; what it has become."""
    fresh = f"{wanted.folder}.new"
    try:
        archive = _fetched_and_pushed(session, wanted, tell)
        runtime = _built(session, wanted, archive, fresh)
        swap = 'rm -rf "$1" && mv "$2" "$1"'
        session.transport.run(["sh", "-c", swap, "sh", wanted.folder, fresh], timeout_s=PATIENCE_S)
    finally:
        with suppress(DeviceError):
            session.transport.run(["rm", "-rf", fresh], timeout_s=PATIENCE_S)
    return f"{wanted.device}: {runtime} in {wanted.folder}; `benchbench run` uses it"


def _fetched_and_pushed(session: Session, wanted: Installation, tell: Callable[[str], None]) -> str:
    """The path on the board of an archive of all packages, unpacked as an installation would have them."""
    name = wanted.device
    with tempfile.TemporaryDirectory(prefix="benchbench-") as room:
        packages, archive = Path(room, "packages"), Path(room, "packages.zip")
        tell(f"{name}: fetching {len(wanted.packages)} packages")
        where = ["--python-platform", wanted.platform, "--python-version", wanted.version, "--target", str(packages)]
        only = ["--quiet", "--no-deps", "--only-binary", ":all:"]
        done = uv(session, ["pip", "install", *only, *where, *wanted.packages])
        if done.returncode != 0:
            raise ToolError(f"{name}: the packages cannot be had: {telling(done.stderr)}", remedy="try again later")
        unpacked_mb = _packed(packages, archive) / 1e6
        packed_mb = archive.stat().st_size / 1e6
        needed_mb = unpacked_mb + packed_mb
        if needed_mb > wanted.free_mb:
            raise DeviceError(
                f"{name}: {needed_mb:,.0f} MB are needed in {wanted.folder}, {wanted.free_mb:,.0f} MB are free",
                remedy="free some, or set `workdir` to another place",
            )
        tell(f"{name}: pushing {packed_mb:,.0f} MB, which become {unpacked_mb:,.0f} MB there")
        return session.stage(archive)


def _built(session: Session, wanted: Installation, archive: str, fresh: str) -> str:
    """Make the environment in `fresh` and try it; the runtimes that it imports."""
    name = wanted.device
    argv = [wanted.python, "-c", _BUILD, archive, fresh, wanted.python]
    built = session.transport.run(argv, timeout_s=PATIENCE_S)
    if built.exit_code != 0:
        said = (built.error_text.strip().splitlines() or [f"exit code {built.exit_code}"])[-1]
        session.transport.run(["rm", "-f", archive], timeout_s=60)
        raise DeviceError(f"{name}: the environment cannot be made in {fresh}: {said}", remedy="is its disk full?")
    return " and ".join(_tried(session, f"{fresh}/bin/python3", runtime) for runtime in wanted.runtimes)


def _tried(session: Session, python: str, runtime: Runtime) -> str:
    """What a Python imports of a runtime that was installed for it."""
    try:
        found = runtime.look_at_python(session, python)
    except ToolError as error:
        found = Interpreter(python, None, error.message)
    if found.runtime is None:
        remedy = f"is {session.workdir} mounted noexec? `workdir` moves it"
        raise DeviceError(
            f"{session.device.name}: what was installed does not run there: {found.reason}", remedy=remedy
        )
    return found.runtime


def _packed(folder: Path, archive: Path) -> int:
    """All files of an installation in one archive, without what was written for another place; their size."""
    total = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            if path.is_file() and place.parts[0] != "bin" and "__pycache__" not in place.parts:
                out.write(path, str(place))
                total += path.stat().st_size
    return total
