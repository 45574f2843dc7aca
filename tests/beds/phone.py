"""A phone: adbd in a thread, a file system of its own, and the Android commands a harness asks.

As root the phone has its own mount namespace: on its PATH are mksh and toybox (where installed) and little else,
/data is a folder of the test, /sys has thermal zones and clocks that a test can set. Otherwise commands see this
machine's files, and `workdir` is the phone's folder among them.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from benchbench.values.device import Adb
from tests.beds.adbd.device import FEATURES, Auth, Device
from tests.beds.namespaces import MARK, can_mount, fstab, power_off
from tests.beds.sysfs import FakeSys

_T = TypeVar("_T")

PROPERTIES = {
    "ro.product.manufacturer": "Bench",
    "ro.product.model": "Bench Phone",
    "ro.product.device": "bench",
    "ro.board.platform": "bench100",
    "ro.soc.manufacturer": "Benchmakers",
    "ro.soc.model": "B100",
    "ro.hardware": "bench",
    "ro.build.version.release": "14",
    "ro.build.version.sdk": "34",
    "ro.product.cpu.abi": "x86_64",
    "ro.product.cpu.abilist": "x86_64",
}
_GETPROP = """\
#!/bin/sh
if [ -z "$1" ]; then sed -n 's/^\\([^=]*\\)=\\(.*\\)$/[\\1]: [\\2]/p' {file}
else sed -n "s/^$1=//p" {file} | head -n 1; fi
"""
_DUMPSYS = """\
#!/bin/sh
if [ -f {folder}/"$1" ]; then cat {folder}/"$1"; else echo "Can't find service: $1" >&2; fi
"""
_SETTINGS = """\
#!/bin/sh
case $1 in
  get) cat {folder}/setting."$2"."$3" 2>/dev/null || echo null ;;
  put) echo "$4" > {folder}/setting."$2"."$3" ;;
  delete) rm -f {folder}/setting."$2"."$3" ;;
esac
"""
_BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: {usb}
  Wireless powered: false
  status: {status}
  health: 2
  present: true
  level: {level}
  scale: 100
  voltage: 4123
  temperature: {temperature}
  technology: Li-ion
"""
_THERMAL = """\
IsStatusOverride: false
Thermal Status: {status}
HAL Ready: true
HAL connection:
\tThermalHAL 2.0 connected: yes
Current temperatures from HAL:
\tTemperature{{mValue={cpu}, mType=0, mName=cpu, mStatus={status}}}
\tTemperature{{mValue={skin}, mType=3, mName=skin, mStatus={status}}}
Current cooling devices from HAL:
\tCoolingDevice{{mValue=0, mType=2, mName=thermal-cpufreq-0}}
"""
# Android's own commands that Debian's toybox is built without.
_FROM_HOST = ("awk", "dd", "diff", "expr", "tr", "[")
# A root of its own, with this machine's folders where Android's are not.
_ROOM = """\
set -e
mount -t tmpfs -o size=4m,mode=755 phone {root}
cd {root}
mkdir {folders}
cp -P {links} {root}
mount -a -T {fstab}
exec chroot {root} sh -c 'cd /; echo ready; read -r end'
"""


class Phone:
    """A test phone on a loopback port; `address` says how to reach it once it is started."""

    def __init__(
        self,
        folder: Path,
        *,
        features: Sequence[str] = FEATURES,
        auth: Auth = "none",
        properties: dict[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._properties = PROPERTIES | (properties or {})
        self._room: subprocess.Popen[bytes] | None = None
        self.sys = FakeSys(folder / "sys")
        self.data = folder / "data"
        (self.data / "local" / "tmp").mkdir(parents=True)
        self._write_system()
        self.device = self._device(features, auth)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"phone {folder.name}", daemon=True)

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.device.port}"

    @property
    def address(self) -> Adb:
        return Adb(serial=self.serial)

    @property
    def workdir(self) -> str:
        """The usual place for pushed files, as the phone names it."""
        return "/data/local/tmp" if self._room else str(self.data / "local" / "tmp")

    def path(self, name: str) -> Path:
        """Where a file of the phone is on this machine."""
        return self.device.path(name)

    def __enter__(self) -> Phone:
        self._thread.start()
        self._do(self.device.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.power_off()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._room is not None:
            self._room.communicate()

    # what can happen to it

    def vanish(self) -> None:
        """The cable is pulled: the link is gone, the phone lives on."""
        self._do(self.device.vanish())

    def come_back(self) -> None:
        self._do(self.device.start())

    def power_off(self) -> None:
        """No link, and nothing runs any more."""
        self.vanish()
        power_off(self._folder)
        self._do(self.device.reaped())

    def reboot(self) -> None:
        """Everything ends, and the phone is there again in a boot with another id."""
        self.power_off()
        self.sys.boot_anew()
        self.come_back()

    def freeze(self) -> None:
        """Nothing is answered any more, and nothing closed."""
        self._loop.call_soon_threadsafe(self.device.freeze)

    def thaw(self) -> None:
        self._loop.call_soon_threadsafe(self.device.thaw)

    def allow(self) -> None:
        """The user taps "Allow USB debugging"."""
        self._do(self.device.allow())

    def heat(self, celsius: float) -> None:
        """Set the CPU's temperature, for thermal zones and dumpsys alike."""
        self.sys.heat(celsius)
        self.throttle(0, celsius)

    def throttle(self, status: int, celsius: float = 41.0) -> None:
        """Set Android's thermal status: 0 none … 3 severe … 6 shutdown."""
        text = _THERMAL.format(status=status, cpu=celsius, skin=celsius - 6)
        (self._folder / "services" / "thermalservice").write_text(text)

    def setting(self, namespace: str, key: str) -> str | None:
        """One of Android's settings; None = it was never made."""
        file = self._folder / "services" / f"setting.{namespace}.{key}"
        return file.read_text().strip() if file.exists() else None

    def forget_temperatures(self) -> None:
        """As if its thermal service had no sensor."""
        (self._folder / "services" / "thermalservice").unlink()

    def charge(self, level: int, *, charging: bool, celsius: float = 29.0) -> None:
        """Set the battery's state."""
        text = _BATTERY.format(
            usb=str(charging).lower(), status=2 if charging else 3, level=level, temperature=round(celsius * 10)
        )
        (self._folder / "services" / "battery").write_text(text)

    # how it is made

    def _write_system(self) -> None:
        programs = self._folder / "system" / "bin"
        services = self._folder / "services"
        programs.mkdir(parents=True)
        (self._folder / "system" / "xbin").mkdir()
        services.mkdir()
        file = self._folder / "system" / "build.prop"
        file.write_text("".join(f"{key}={value}\n" for key, value in self._properties.items()))
        scripts = {"getprop": _GETPROP.format(file=shlex.quote(str(file)))}
        scripts["dumpsys"] = _DUMPSYS.format(folder=shlex.quote(str(services)))
        scripts["settings"] = _SETTINGS.format(folder=shlex.quote(str(services)))
        for name, text in scripts.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.charge(87, charging=True)
        self.throttle(0)

    def _device(self, features: Sequence[str], auth: Auth) -> Device:
        programs = self._folder / "system" / "bin"
        env = {"HOME": "/", "ANDROID_ROOT": "/system", "ANDROID_DATA": "/data", "TMPDIR": "/data/local/tmp"}
        env[MARK] = str(self._folder)
        model = self._properties["ro.product.model"]
        if not can_mount():
            env |= {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(self.data / "local" / "tmp")}
            return Device(root=Path("/"), wrap=(), shell="/bin/sh", env=env, model=model, features=features, auth=auth)
        tools = android_tools()
        if tools is not None:
            (programs / "sh").symlink_to("../xbin/sh")
        env["PATH"] = "/system/bin:/system/xbin" if tools else f"/system/bin:{os.environ['PATH']}"
        self._room = self._open_room()
        inside = f"/proc/{self._room.pid}"
        nsenter = shutil.which("nsenter") or "nsenter"
        return Device(
            root=Path(inside) / "root",
            wrap=(nsenter, f"--mount={inside}/ns/mnt", f"--root={inside}/root", f"--wd={inside}/root"),
            shell="/system/bin/sh" if tools else "/bin/sh",
            env=env,
            model=model,
            features=features,
            auth=auth,
        )

    def _open_room(self) -> subprocess.Popen[bytes]:
        """A process that holds the phone's mount namespace until its stdin ends."""
        root, table = self._folder / "root", self._folder / "fstab"
        root.mkdir()
        here = [path for path in Path("/").iterdir() if path.name not in {"data", "system"}]
        folders = [path for path in here if path.is_dir() and not path.is_symlink() and _used(path)]
        places = {path: path for path in folders}
        places |= {Path("/data"): self.data, Path("/system"): self._folder / "system"}
        places |= {Path("/system/xbin"): tools} if (tools := android_tools()) else {}
        table.write_text(fstab({**places, **self.sys.places()}, str(root)))
        script = _ROOM.format(
            root=shlex.quote(str(root)),
            fstab=shlex.quote(str(table)),
            folders=shlex.join([path.name for path in folders] + ["data", "system"]),
            links=shlex.join(str(path) for path in here if path.is_symlink()),
        )
        room = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert room.stdout is not None
        if room.stdout.readline() != b"ready\n":
            room.communicate()
            raise RuntimeError("the phone's mount namespace could not be made")
        return room

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=120)


def _used(folder: Path) -> bool:
    """Whether it is worth a mount."""
    return any(folder.iterdir())


@functools.cache
def android_tools() -> Path | None:
    """A folder with mksh and toybox as Android has them, made once; None where they are not installed."""
    mksh, toybox = shutil.which("mksh"), shutil.which("toybox")
    if not mksh or not toybox:
        return None
    folder = Path(tempfile.mkdtemp(prefix="android-tools-"))
    atexit.register(shutil.rmtree, folder)
    names = subprocess.run([toybox], capture_output=True, text=True, check=True).stdout.split()
    targets = dict.fromkeys(names, toybox) | {name: shutil.which(name) for name in _FROM_HOST} | {"sh": mksh}
    for name, target in targets.items():
        if target:
            (folder / name).symlink_to(target)
    return folder
