"""Settings of a device for the time of a launch, where the matrix asks for them; each is read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from benchbench.instruments.base import Seen, Watch
from benchbench.values.conditions import SettingSeen
from benchbench.values.device import Traits
from benchbench.values.job import SETTINGS_GOT, Job, JobResult, RawConditions, Setting
from benchbench.values.key_values import pairs
from benchbench.values.measurement_settings import MeasurementSettings

GOVERNOR = "/sys/devices/system/cpu/cpufreq/{}/scaling_governor"
STAY_ON, ON_ANY_POWER = "global/stay_on_while_plugged_in", "7"  # AC, USB and wireless
# https://android.googlesource.com/platform/system/core/+/main/libprocessgroup/tools/settaskprofile.cpp
PROFILED = (
    'was=$(cat /proc/$$/cgroup); settaskprofile $$ "$1" 2> task_profile && '
    '[ "$was" != "$(cat /proc/$$/cgroup)" ] && echo "held" > task_profile; '
    'cat /proc/$$/cgroup >> task_profile; shift; exec "$@"'
)
TASK_PROFILE = "task_profile"
# After taskset, which goes before: what the kernel says of this very process, that the tool then is.
PINNED = 'grep Cpus_allowed: /proc/$$/status > pinned; exec "$@"'
PIN = "taskset"
CPUS = "pinned"


@dataclass(frozen=True, slots=True)
class SettingsOnRequest:
    """`settings` by what people call them; what a device has no such thing for is asked for all the same, and told."""

    settings: tuple[tuple[str, Setting], ...] = ()
    task_profile: str | None = None
    missing: tuple[SettingSeen, ...] = field(default=())

    @classmethod
    def of(cls, idle: RawConditions, traits: Traits, measure: MeasurementSettings) -> SettingsOnRequest:
        """What the matrix asks for, of a device that told this when it was idle."""
        policies = [key.removeprefix("governor.") for key in idle.values if key.startswith("governor.")]
        android = traits.os == "android"
        settings: list[tuple[str, Setting]] = []
        missing: list[SettingSeen] = []
        if measure.governor is not None:
            settings += [("governor", Setting(GOVERNOR.format(policy), measure.governor)) for policy in policies]
            missing += [] if policies else [_not_there("governor", measure.governor)]
        if measure.stay_awake and android:
            settings.append(("stay awake", Setting(STAY_ON, ON_ANY_POWER)))
        elif measure.stay_awake:
            missing.append(_not_there("stay awake", ON_ANY_POWER))
        if measure.task_profile is not None and not android:
            missing.append(_not_there("task profile", measure.task_profile))
        return cls(tuple(settings), measure.task_profile if android else None, tuple(missing))

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        pinned = job.argv[0] == PIN
        argv = (*job.argv[:2], "sh", "-c", PINNED, "sh", *job.argv[2:]) if pinned else job.argv
        if self.task_profile is not None:
            argv = ("sh", "-c", PROFILED, "sh", self.task_profile, *argv)
        answers = (*job.answers, *([CPUS] if pinned else []), *([TASK_PROFILE] if self.task_profile else []))
        asked = tuple(setting for _, setting in self.settings)
        mask = job.argv[1] if pinned else None
        changed = replace(job, argv=argv, answers=answers, settings=(*job.settings, *asked))
        yield Watch(changed, lambda result: self._seen(result, mask))

    def _seen(self, result: JobResult, mask: str | None) -> Seen:
        left = result.raw.answers
        got = pairs(_text(left, SETTINGS_GOT))
        seen = [*self.missing]
        for name, setting in self.settings:
            value = got.get(setting.name) or None
            seen.append(SettingSeen(name=name, asked=setting.value, got=value, where=setting.name))
        if self.task_profile is not None:
            held, _, rest = _text(left, TASK_PROFILE).partition("\n")
            value = self.task_profile if held == "held" else (held or rest).strip() or None
            seen.append(SettingSeen(name="task profile", asked=self.task_profile, got=value))
        if mask is not None:
            seen.append(_affinity(mask, _text(left, CPUS)))
        return Seen(fields={"settings": tuple(seen)} if seen else {})


def _not_there(name: str, asked: str) -> SettingSeen:
    return SettingSeen(name=name, asked=asked, there=False)


def _affinity(mask: str, told: str) -> SettingSeen:
    """The mask that was asked for and the kernel's own, both as plain hex digits."""
    word = told.rpartition(":")[2].strip().replace(",", "")
    asked = f"{int(mask, 16):x}"
    return SettingSeen(name="affinity", asked=asked, got=word.lstrip("0").lower() or None)


def _text(answers: Mapping[str, bytes], name: str) -> str:
    return answers.get(name, b"").decode("utf-8", "replace")
