"""Matrix x Devices -> Plan: what runs in which order, what is left out and why, and how long it takes. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from benchbench.config.globs import fits, is_glob
from benchbench.config.matrix import Matrix
from benchbench.config.rules import CellRule
from benchbench.device.probe import missing_cores
from benchbench.modes import MODES, mode_of
from benchbench.modes.base import Launches, Mode
from benchbench.modes.known import never_known
from benchbench.runtimes import KINDS, Delegate, mismatch, runtime_of
from benchbench.runtimes.base import Target
from benchbench.values.case import Case, Trial, Variant
from benchbench.values.device import Adb, Device, Local, Traits
from benchbench.values.errors import InputError, NothingToDo, ToolError
from benchbench.values.measurement_settings import MeasurementSettings

LAUNCH_S = 0.8  # start of a process, loading, the agent's work: measured on this project's test devices


@dataclass(frozen=True, slots=True)
class Skip:
    """A selected cell that does not run, and why; `deliberate` where the matrix itself leaves it out ([[skip]])."""

    case: Case
    reason: str
    deliberate: bool = False


@dataclass(frozen=True)
class Plan:
    """All trials, device by device, each device's in the order in which they will run.

    Cases and skips together are every selected cell; `cells` counts those of the whole matrix, selected or not.
    """

    name: str
    seed: int
    measure: MeasurementSettings
    cases: tuple[Case, ...]
    trials: tuple[Trial, ...]
    skips: tuple[Skip, ...]
    only: tuple[str, ...] = ()  # the selection: globs over case ids
    skip: tuple[str, ...] = ()
    cells: int = 0
    launches: Mapping[str, Launches] = field(default_factory=dict)  # of trials for which one does not do
    here: frozenset[str] = frozenset()  # devices that are this machine, which is measured alone

    def of(self, device: str) -> tuple[Trial, ...]:
        return self._by_device.get(device, ())

    @cached_property
    def _by_device(self) -> Mapping[str, tuple[Trial, ...]]:
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.case.device, []).append(trial)
        return {device: tuple(trials) for device, trials in found.items()}

    @property
    def canaries(self) -> tuple[Case, ...]:
        """The cases of trials that are none of the matrix."""
        return tuple({trial.case.id: trial.case for trial in self.trials if not trial.of_matrix}.values())

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The models that its trials launch."""
        return tuple({trial.case.variant.id: trial.case.variant for trial in self.trials}.values())

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._by_device)

    def seconds(self, device: str) -> float:
        """At least this long: the minimum times of the matrix; slow models and cool-downs come on top."""
        return self._seconds([trial for trial in self.of(device) if trial.round <= self.measure.least_rounds])

    def in_all(self, seconds: Callable[[str], float]) -> float:
        """`seconds` or `most_seconds` of all devices: side by side, and this machine after them."""
        here = [seconds(name) for name in self.devices if name in self.here]
        others = [seconds(name) for name in self.devices if name not in self.here]
        return max(others, default=0) + max(here, default=0)

    def most_seconds(self, device: str) -> float:
        """As long as `seconds` if every case has all the rounds that it may have, as far as the budget allows."""
        all_rounds, budget = self._seconds(self.of(device)), self.measure.budget_minutes
        if budget is None:
            return all_rounds
        extra = [trial for trial in self.of(device) if not trial.timed]
        return min(all_rounds, max(self.seconds(device), self._seconds(extra) + 60 * budget))

    def _seconds(self, trials: Sequence[Trial]) -> float:
        per_trial = self.measure.warmup_min_seconds + self.measure.min_seconds + LAUNCH_S
        several = [self.launches[trial.id].least for trial in trials if self.launches and trial.id in self.launches]
        primed = sum(trial.case.delegate.caching == "warm" for trial in trials)  # by a launch before the measured one
        return per_trial * (len(trials) - len(several)) + LAUNCH_S * (sum(several) + primed)

    def native_launches(self, device: str) -> tuple[int, int]:
        """How many trials take outputs through benchmark_model, and how many launches they need at most."""
        several = [self.launches[one.id].most for one in self.of(device) if self.launches and one.id in self.launches]
        return len(several), sum(several)


def takes(case: str, only: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether a selection takes the case of this id: one of `only` fits, where any is given, and none of `skip`."""

    def taken(patterns: Sequence[str]) -> bool:
        return any(fits(pattern, case) for pattern in patterns)

    return (not only or taken(only)) and not taken(skip)


def selected(plan: Plan, *, only: Sequence[str], skip: Sequence[str]) -> Plan:
    """The part of a plan that a selection takes, in the same order; raises NothingToDo where nothing is left."""
    taken = [case for case in plan.cases if takes(case.id, only, skip)]
    kept, devices = {case.id for case in taken}, {case.device for case in taken}
    if not kept:
        raise NothingToDo("--only and --skip leave no case", remedy=f"cases look like {plan.cases[0].id}")

    def stays(trial: Trial) -> bool:
        return trial.case.id in kept if trial.of_matrix else trial.case.device in devices

    return replace(
        plan,
        cases=tuple(taken),
        trials=tuple(filter(stays, plan.trials)),
        skips=tuple(left for left in plan.skips if takes(left.case.id, only, skip)),
        only=tuple(only) or plan.only,
        skip=(*plan.skip, *skip),
    )


def devices_with_cases(
    matrix: Matrix, devices: Sequence[Device], *, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> tuple[Device, ...]:
    """The devices that a plan may have trials for, whatever they turn out to be. Raises as `make_plan` does."""
    _, selected = _select(matrix, devices, only, skip)
    wanted = {case.device for case in selected if _unwanted(case, matrix) is None}
    if not wanted:
        raise _nothing_left(matrix, [_unwanted(case, matrix) for case in selected])
    return tuple(device for device in devices if device.name in wanted)


def make_plan(
    matrix: Matrix, targets: Sequence[Target], *, seed: int, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> Plan:
    """The plan of a matrix on devices; the same arguments give the same plan.

    `only` and `skip` are globs over case ids. Raises InputError for a [[skip]] rule that fits no cell and a [[budget]]
    that nobody could keep, NothingToDo when nothing is left to run, ToolError where a device cannot measure at all.
    """
    by_name = {target.device.name: target for target in targets}
    everything, selected = _select(matrix, [target.device for target in targets], only, skip)
    why_not = {case.id: _why_not(case, matrix, by_name[case.device]) for case in selected}
    cases = [case for case in selected if why_not[case.id] is None]
    skips = [skip for skip in why_not.values() if skip is not None]
    if not cases:
        unable = next((skip for skip in skips if skip.reason == _no_runner(skip.case, by_name)), None)
        if unable is not None:
            raise ToolError(f"{matrix.source}: nothing can run: {unable.case.device}: {unable.reason}")
        raise _nothing_left(matrix, skips)
    trials = tuple(trial for target in targets for trial in _order(cases, target.device.name, matrix, seed))
    return Plan(
        name=matrix.name,
        seed=seed,
        measure=matrix.measure,
        cases=tuple(cases),
        trials=trials,
        skips=tuple(skips),
        only=tuple(only),
        skip=tuple(skip),
        cells=len(everything),
        launches={t.id: several for t in trials if (several := _launches(t, matrix, by_name[t.case.device]))},
        here=frozenset(target.device.name for target in targets if isinstance(target.device.address, Local)),
    )


def _launches(trial: Trial, matrix: Matrix, target: Target) -> Launches | None:
    runner = runtime_of(trial.case.variant.format).runner_on(target)
    return mode_of(trial.purpose).launches(trial.case, matrix, runner)


def _select(
    matrix: Matrix, devices: Sequence[Device], only: Sequence[str], skip: Sequence[str]
) -> tuple[list[Case], list[Case]]:
    """All cells of the matrix on the devices, and those selected; raises for a rule or a pattern that fits none."""
    there = [device.name for device in devices]
    named = [name for name in matrix.devices or () if not is_glob(name)]  # not looked for where no case is selected
    everything = [case for name in dict.fromkeys([*there, *named]) for case in cells_of(matrix, name)]
    if not there:
        raise NothingToDo(f"{matrix.source}: there is no device to run on")
    example = f"cases look like {everything[0].id}"
    for table, rule in (*(("skip", rule) for rule in matrix.skips), *(("budget", rule) for rule in matrix.budget)):
        if not any(_fits(rule, case) for case in everything):
            raise InputError(f"{matrix.source}: [[{table}]] {rule.written} fits no case", remedy=example)
    _require_knowable(matrix, everything)
    for pattern in only:
        if not any(takes(case.id, [pattern], ()) for case in everything):
            raise NothingToDo(f"--only {pattern!r} fits no case", remedy=example)
    return everything, [case for case in everything if case.device in there and takes(case.id, only, skip)]


def _require_knowable(matrix: Matrix, cases: Sequence[Case]) -> None:
    """Raises InputError for a limit of [[budget]] on what nobody will know of a case of it."""
    for number, rule in enumerate(matrix.budget, 1):
        for case in cases:
            if not _fits(rule, case) or _unwanted(case, matrix) is not None:
                continue
            for column in (*rule.max, *rule.min):
                if why := never_known(column, case, matrix):
                    said = f"{matrix.source}: budget {number}: {column} of {case.id} will not be known: {why}"
                    raise InputError(said, remedy="leave it out, or name the cases that have it: family, delegate, …")


def _nothing_left(matrix: Matrix, skips: Sequence[Skip | None]) -> NothingToDo:
    first = next((f": {skip.case.id}: {skip.reason}" for skip in skips if skip), ": --only and --skip leave no case")
    return NothingToDo(f"{matrix.source}: nothing is left to run{first}", remedy="see `benchbench plan`")


def cells_of(matrix: Matrix, device: str) -> list[Case]:
    """All cells of a matrix on the device of that name; a model has those with delegates of its runtime."""
    return [
        Case(device=device, variant=variant, delegate=delegate, threads=threads, affinity=affinity)
        for variant in matrix.variants
        for delegate in _of_its_runtime(variant, matrix.delegates)
        for threads in matrix.threads
        for affinity in (matrix.affinity or (None,))
    ]


def _of_its_runtime(variant: Variant, delegates: Sequence[Delegate]) -> Sequence[Delegate]:
    """The delegates that can take the format of a model; all of them where none can, so that it is told."""
    own = runtime_of(variant.format).backends
    return [delegate for delegate in delegates if delegate.kind in own] or delegates


def _fits(rule: CellRule, case: Case) -> bool:
    return rule.fits(
        device=case.device,
        family=case.variant.family,
        name=case.variant.name,
        scheme=case.variant.scheme,
        delegate=case.delegate.label,
        kind=case.delegate.kind,
        threads=case.threads,
        affinity=case.affinity,
    )


def _no_runner(case: Case, targets: Mapping[str, Target]) -> str | None:
    """What of the device keeps a case from running."""
    return targets[case.device].problem_with(case.variant.format)


def _why_not(case: Case, matrix: Matrix, target: Target) -> Skip | None:
    if unwanted := _unwanted(case, matrix):
        return unwanted
    reason = target.problem_with(case.variant.format) or _impossible(case, target)
    return Skip(case, reason) if reason else None


def _unwanted(case: Case, matrix: Matrix) -> Skip | None:
    """Why a cell does not run on any device whatever."""
    for rule in matrix.skips:
        if _fits(rule, case):
            return Skip(case, rule.reason, deliberate=True)
    reason = mismatch(case.variant, case.delegate)
    return Skip(case, reason) if reason else None


def _impossible(case: Case, target: Target) -> str | None:
    """What its cores and the delegate say; before a probe, only what holds for every device reached in this way."""
    runner = runtime_of(case.variant.format).runner_on(target)
    if target.traits is not None and target.runners:
        cores = case.affinity and missing_cores(target.traits.clusters, case.affinity)
        return cores or case.delegate.unsupported_reason(target.traits, runner)
    android = isinstance(target.device.address, Adb)
    presumed = Traits(os="android" if android else "linux", abi="arm64-v8a", accelerators=KINDS)
    return case.delegate.unsupported_reason(presumed, runner)


def _order(cases: Sequence[Case], device: str, matrix: Matrix, seed: int) -> list[Trial]:
    """Rounds outermost, each in a random order of its own, so that drift touches all cells alike."""
    mine = [case for case in cases if case.device == device]
    ordered: list[tuple[Case, int, Mode]] = []
    passes = [(mode, number) for mode in MODES for number in mode.passes(matrix)]
    # A race goes by accuracy, too: it is known before the rounds that only some cases have.
    rounds = matrix.measure.rounds if matrix.measure.goal is not None else matrix.measure.most_rounds
    for mode, number in sorted(passes, key=lambda one: (one[1], 0) if one[0].among_rounds else (rounds, 1)):
        shuffled = list(mode.cases(mine, matrix))
        random.Random(f"{seed}/{device}/{mode.name}/{number}").shuffle(shuffled)  # noqa: S311 - an order, no secret
        ordered += [(case, number, mode) for case in shuffled]
    return [
        Trial(case=case, round=number, position=position, purpose=mode.name)
        for position, (case, number, mode) in enumerate(ordered, 1)
    ]
