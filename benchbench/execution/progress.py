"""How far a run has come: what its events add up to, for the terminal and for the page that is served."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchbench.analysis.disturbances import disturbances
from benchbench.analysis.doubts import doubts
from benchbench.analysis.launches import LaunchSequence
from benchbench.execution.scheduler import Begun, Done, Event, Noted, Progressed, Scoring, Started, Stopped
from benchbench.modes import mode_of
from benchbench.plan import Plan
from benchbench.values.case import Case, Trial
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import in_a_line
from benchbench.values.outcome import Outcome, common_statistic
from benchbench.values.stop import Stop

LAST = 3  # results that are shown
STATUS_WORDS = {"ok": "", "failed": "FAILED", "incomplete": "INCOMPLETE", "skipped": "skipped"}
_NO_NEWS = "few launches"  # while they become more


def outcome_line(outcome: Outcome) -> str:
    """One line on a finished trial: what it is, what it took, who executed it, and what was wrong."""
    if outcome.status != "ok":
        missing = outcome.status != "skipped" and outcome.delegation.verdict == "unavailable"
        said = in_a_line(outcome.error or "no reason given")
        return f"{outcome.trial}  {'UNAVAILABLE' if missing else STATUS_WORDS[outcome.status]}: {said}"
    again = f"  (attempt {outcome.attempts})" if outcome.attempts > 1 else ""
    return f"{outcome.trial}  {mode_of(outcome.purpose).headline(outcome)}  on {outcome.delegation.executor}{again}"


@dataclass(slots=True)
class DeviceProgress:
    """One device: trials done of those planned, the one under way, and how far that is where it is an evaluation."""

    total: int
    planned_s: float  # what its trials take, by the plan
    began_s: float
    done: int = 0
    failed: int = 0
    ended_s: float = 0.0  # when its last trial had ended
    trial: Trial | None = None
    trial_began_s: float = 0.0
    samples: tuple[int, int] | None = None  # done, of

    def left_s(self, now_s: float) -> float:
        """What is left takes as long as what is done has taken on average; an evaluation goes on as it began."""
        waiting = self.total - self.done
        per_trial = (self.ended_s - self.began_s) / self.done if self.done else self.planned_s / max(1, self.total)
        under_way = now_s - self.trial_began_s if self.trial else 0.0
        if self.samples and self.samples[0]:
            done, of = self.samples
            return per_trial * (waiting - 1) + under_way * (of - done) / done
        return max(0.0, per_trial * waiting - min(under_way, per_trial))


@dataclass(slots=True)
class RunProgress:
    """A run under way; seconds are of any one clock."""

    plan: Plan
    now_s: float
    devices: dict[str, DeviceProgress] = field(init=False)
    last: deque[Outcome] = field(default_factory=lambda: deque(maxlen=LAST))  # the latest of all devices
    said: str = ""  # what this host does once the devices are done
    _stopped: dict[str, Stop] = field(default_factory=dict)  # by case
    _launches: dict[str, list[Outcome]] = field(default_factory=dict)
    _doubts: dict[str, tuple[Doubt, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.devices = {
            name: DeviceProgress(len(self.plan.of(name)), self.plan.most_seconds(name), self.now_s)
            for name in self.plan.devices
        }

    def hear(self, event: Event, now_s: float) -> None:
        self.now_s = now_s
        match event:
            case Started(trial=trial):
                device = self.devices[trial.case.device]
                device.trial, device.trial_began_s, device.samples = trial, now_s, None
            case Progressed(trial=trial, samples=samples, of=of):
                self.devices[trial.case.device].samples = samples, of
            case Done(trial=trial, outcome=outcome):
                device = self.devices[trial.case.device]
                device.done, device.ended_s, device.trial, device.samples = device.done + 1, now_s, None, None
                device.failed += outcome.status not in {"ok", "skipped"}
                self.last.append(outcome)
                self._weigh(trial.case, outcome)
            case Stopped(device=name, stops=stops):
                self._stopped |= {stop.case: stop for stop in stops}
                self.devices[name].total = sum(map(self._is_due, self.plan.of(name)))
            case Scoring(text=text):
                self.said = text
            case Begun() | Noted():
                pass

    @property
    def doubts(self) -> Mapping[str, int]:
        """Kinds of doubts so far, with the number of cases that have each."""
        kinds = [doubt.kind for found in self._doubts.values() for doubt in found]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    def _is_due(self, trial: Trial) -> bool:
        """Whether a trial is among the rounds of its case, and a canary among those of its device, as far as known."""
        if trial.of_matrix:
            stop = self._stopped.get(trial.case.id)
            return stop is None or not stop.ends(trial.round, timed=trial.timed)
        cases = {other.case.id for other in self.plan.of(trial.case.device) if other.timed}
        return any(case not in self._stopped or trial.round <= self._stopped[case].rounds for case in cases)

    def _weigh(self, case: Case, outcome: Outcome) -> None:
        if not outcome.timed:
            return
        own = self._launches.setdefault(case.id, [])
        own.append(outcome)
        went_well = [one for one in own if one.status == "ok" and one.measurement.timings.typical is not None]
        statistic = common_statistic(one.measurement.timings for one in went_well)
        about = LaunchSequence(
            own,
            went_well,
            kind=case.delegate.kind,
            threads=case.threads,
            disturbed=disturbances(own, self.plan.measure.cooldown),
            statistic=statistic,
        )
        self._doubts[case.id] = tuple(doubt for doubt in doubts(about) if doubt.kind != _NO_NEWS)
