"""What a test can set of a device's kernel: thermal zones, the clocks of two clusters of cores, the boot's id."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

_ZONES = {"cpu_thermal": 41.0, "gpu_thermal": 39.5, "battery": 29.0}
_MAX_KHZ = (1_803_000, 2_850_000)  # little, big


class FakeSys:
    """Files to bind over those of the kernel; the numbers of cores are the real ones."""

    def __init__(self, folder: Path) -> None:
        self.thermal = folder / "thermal"
        self.cpu = folder / "cpu"
        self.boot_id = folder / "boot_id"
        for number, (kind, celsius) in enumerate(_ZONES.items()):
            zone = self.thermal / f"thermal_zone{number}"
            zone.mkdir(parents=True)
            (zone / "type").write_text(f"{kind}\n")
            (zone / "temp").write_text(f"{celsius * 1000:.0f}\n")
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
        cores = list(range(max(cores) + 1))
        half = len(cores) // 2
        self._clusters = [members for members in (cores[:half], cores[half:]) if members]
        self._write_cpu(cores)
        self.boot_anew()

    def _write_cpu(self, cores: list[int]) -> None:
        self.cpu.mkdir()
        for name in ("possible", "present", "online"):
            (self.cpu / name).write_text(f"0-{cores[-1]}\n" if len(cores) > 1 else "0\n")
        for members, max_khz in zip(self._clusters, _MAX_KHZ[-len(self._clusters) :], strict=True):
            policy = self.cpu / "cpufreq" / f"policy{members[0]}"
            policy.mkdir(parents=True)
            values = {"cpuinfo_min_freq": 300_000, "cpuinfo_max_freq": max_khz, "scaling_max_freq": max_khz}
            values |= {"scaling_min_freq": 300_000, "scaling_cur_freq": max_khz}
            for key, khz in values.items():
                (policy / key).write_text(f"{khz}\n")
            (policy / "scaling_governor").write_text("schedutil\n")
            for key in ("affected_cpus", "related_cpus"):
                (policy / key).write_text(" ".join(map(str, members)) + "\n")
            for core in members:
                (self.cpu / f"cpu{core}").mkdir()
                (self.cpu / f"cpu{core}" / "cpufreq").symlink_to(f"../cpufreq/{policy.name}")

    def heat(self, celsius: float, zone: str = "cpu_thermal") -> None:
        """Set the temperature of a zone by its type."""
        for folder in self.thermal.iterdir():
            if (folder / "type").read_text().strip() == zone:
                (folder / "temp").write_text(f"{celsius * 1000:.0f}\n")

    def clock(self, khz: int) -> None:
        """Set the current and the allowed frequency of all cores, as a throttling kernel does."""
        for policy in (self.cpu / "cpufreq").iterdir():
            for key in ("scaling_cur_freq", "scaling_max_freq"):
                (policy / key).write_text(f"{khz}\n")

    def boot_anew(self) -> None:
        """Give the device another boot id."""
        self.boot_id.write_text(f"{uuid4()}\n")

    def places(self) -> dict[Path, Path]:
        """Which file goes over which, of those that this machine has."""
        wanted = {
            Path("/sys/class/thermal"): self.thermal,
            Path("/sys/devices/system/cpu"): self.cpu,
            Path("/proc/sys/kernel/random/boot_id"): self.boot_id,
        }
        return {there: here for there, here in wanted.items() if there.exists()}
