"""The quantities, a row each.

A row here is all that a new quantity needs to be a column of the frames and of their files, with its type; to stand in
the dictionary of columns in reports/README.md (by `make reference`); and, with a `heading`, to be a column of the
page's table of cases. The charts of phases, memory and conditions show the groups "phase", "memory" and "before".
"""

from __future__ import annotations

from collections.abc import Callable

from benchbench.values.outcome import Memory, Outcome, Timings
from benchbench.values.quantity import (
    CELSIUS,
    COSINE,
    COUNT,
    DECIBEL,
    MEGABYTES,
    MEGAHERTZ,
    MILLISECONDS,
    NUMBER,
    SECONDS,
    SHARE,
    Better,
    Quantity,
    Test,
    Unit,
)


def _ms(us: float | None) -> float | None:
    return None if us is None else us / 1000


def _time(value: Callable[[Timings], float | None]) -> Callable[[Outcome], float | None]:
    return lambda outcome: _ms(value(outcome.measurement.timings))


def _phase(
    name: str,
    label: str,
    about: str,
    value: Callable[[Timings], float | None],
    heading: str | None = None,
    test: Test | None = None,
) -> Quantity:
    """A time that a launch has once, before its steady inferences."""
    read = _time(value)
    return Quantity(
        name, MILLISECONDS, "phase", label, about, read, case="median", better="lower", test=test, heading=heading
    )


def _steady(name: str, label: str, about: str, value: Callable[[Timings], float | None]) -> Quantity:
    """A time of the steady inferences of a launch."""
    return Quantity(name, MILLISECONDS, "steady", label, about, _time(value), better="lower")


def _memory(
    name: str, label: str, about: str, value: Callable[[Memory], float | None], heading: str | None = None
) -> Quantity:
    """A kind of memory; it is compared with no other."""

    def read(outcome: Outcome) -> float | None:
        return value(outcome.measurement.memory)

    return Quantity(name, MEGABYTES, "memory", label, about, read, case="median", better="lower", heading=heading)


def _score(
    name: str,
    unit: Unit,
    label: str,
    about: str,
    better: Better | None = None,
    heading: str | None = None,
    test: Test | None = None,
) -> Quantity:
    """A number of `Outcome.accuracy`; where a stranger's file holds something else under its name, nothing."""

    def read(outcome: Outcome) -> float | None:
        value = outcome.accuracy.get(name)
        return value if isinstance(value, int | float) else None

    return Quantity(
        f"accuracy_{name}",
        unit,
        "accuracy",
        label,
        about,
        read,
        case="scored",
        better=better,
        test=test,
        heading=heading,
    )


def _within(times: Timings) -> float | None:
    return times.std / times.mean if times.std is not None and times.mean else None


# fmt: off
QUANTITIES: tuple[Quantity, ...] = (
    _phase("init_ms", "initialisation", "until the model is loaded and ready for its first inference",
        lambda t: t.init, "Init", "launches"),
    _phase("first_ms", "first inference", "the first inference of a launch", lambda t: t.first, "First"),
    _phase("warmup_mean_ms", "warm-up mean", "mean of the inferences before the steady ones", lambda t: t.warmup_mean),
    _steady("mean_ms", "mean", "mean of a launch's steady inferences", lambda t: t.mean),
    _steady("min_ms", "minimum", "shortest steady inference", lambda t: t.min),
    _steady("max_ms", "maximum", "longest steady inference", lambda t: t.max),
    _steady("std_ms", "standard deviation", "standard deviation of a launch's steady inferences", lambda t: t.std),
    _steady("p5_ms", "5th percentile", "5th percentile of a launch's steady inferences", lambda t: t.p5),
    _steady("median_ms", "median", "median of a launch's steady inferences", lambda t: t.median),
    _steady("p95_ms", "95th percentile", "95th percentile of a launch's steady inferences", lambda t: t.p95),
    Quantity("p90_ms", MILLISECONDS, "steady", "90th percentile within a launch, at most",
        "which a launch's 90th percentile does not exceed, at 99 % confidence (MLPerf's early stopping): needs 64",
        case="median", better="lower"),
    Quantity("p99_ms", MILLISECONDS, "steady", "99th percentile within a launch, at most",
        "the same of the 99th percentile: needs 662 inferences, and a tool that tells each",
        case="median", better="lower"),
    Quantity("typical_ms", MILLISECONDS, "steady", "latency",
        "the steady latency that stands for a launch: its median or its mean, as `statistic` says",
        _time(lambda t: t.typical), case="median", case_name="median_ms", better="lower"),
    Quantity("within_cv", NUMBER, "steady", "spread within a launch",
        "standard deviation / mean of a launch's steady inferences", lambda o: _within(o.measurement.timings),
        case="median", better="lower"),
    Quantity("runs", COUNT, "runs", "runs", "steady inferences", lambda o: o.measurement.runs),
    Quantity("runs_asked", COUNT, "runs", "runs asked for", "steady inferences asked for",
        lambda o: o.measurement.runs_asked),
    Quantity("threads_got", COUNT, "runs", "threads", "threads that the tool says it used",
        lambda o: o.measurement.threads),
    Quantity("size_mb", MEGABYTES, "file", "file", "size of the model file (10⁶ bytes)",
        lambda o: o.measurement.model_mb, case="last", better="lower", test="exact", heading="File"),
    Quantity("added_mb", MEGABYTES, "added", "what the model adds",
        "growth of the process's peak RSS from before the model was loaded: what the model adds",
        lambda o: o.measurement.memory.added_mb, case="median", better="lower", test="launches",
        heading="Model adds"),
    _memory("init_delta_mb", "growth of max RSS, init", "growth of max RSS during initialisation (benchmark_model)",
        lambda m: m.init_delta_mb),
    _memory("overall_delta_mb", "growth of max RSS, whole run",
        "growth of max RSS over the whole run (benchmark_model)", lambda m: m.overall_delta_mb),
    _memory("peak_polled_mb", "peak RSS, polled", "highest RSS that the tool's sampling thread saw (benchmark_model)",
        lambda m: m.peak_polled_mb, "Polled RSS"),
    _memory("rss_start_mb", "RSS before loading",
        "resident set before the model is loaded: interpreter, numpy, runtime (python)", lambda m: m.rss_start_mb),
    _memory("rss_loaded_mb", "RSS after init", "resident set after initialisation (python)",
        lambda m: m.rss_loaded_mb),
    _memory("rss_end_mb", "RSS at the end", "resident set after the last inference (python)", lambda m: m.rss_end_mb),
    _memory("rss_peak_mb", "peak RSS (VmHWM)", "highest resident set from before loading to the end, VmHWM (python)",
        lambda m: m.rss_peak_mb, "Peak RSS"),
    _memory("pss_end_mb", "PSS at the end", "proportional set size after the last inference (python)",
        lambda m: m.pss_end_mb),
    Quantity("init_cold_ms", MILLISECONDS, "cache", "initialisation, cold",
        "initialisation with an empty cache of what the delegate compiles, which it fills", case="median",
        better="lower", heading="Init cold"),
    Quantity("init_warm_ms", MILLISECONDS, "cache", "initialisation, warm",
        "initialisation with a cache that an earlier launch has filled, and that was used", case="median",
        better="lower", heading="Init warm"),
    Quantity("cache_mb", MEGABYTES, "cache", "compile cache", "size of the files in that cache (10⁶ bytes)",
        case="last", better="lower", heading="Cache"),
    Quantity("nodes_delegated", COUNT, "delegation", "nodes taken", "nodes of the graph that the delegate took",
        lambda o: o.delegation.nodes_delegated, case="last", better="higher"),
    Quantity("nodes_total", COUNT, "delegation", "nodes", "nodes of the graph", lambda o: o.delegation.nodes_total,
        case="last"),
    Quantity("partitions", COUNT, "delegation", "partitions", "partitions of the graph that the delegate took",
        lambda o: o.delegation.partitions, case="last", better="lower"),
    Quantity("macs_share", SHARE, "delegation", "MACs taken",
        "share of the graph's multiply-accumulates in the nodes that the delegate took, of a part of a graph",
        lambda o: o.delegation.macs_share, case="last", better="higher"),
    Quantity("temperature_before_c", CELSIUS, "before", "temperature before",
        "the hottest sensor that matters (CPU, SoC, GPU, skin) before the trial",
        lambda o: o.before.temperature_c if o.before else None),
    Quantity("load_before", NUMBER, "before", "load before (1 min)", "load average of one minute before the trial",
        lambda o: o.before.load if o.before else None),
    Quantity("above_idle_c", CELSIUS, "during", "above idle, before",
        "how far the sensor that had risen most was above what it said when the run began on the device"),
    Quantity("temperature_during_c", CELSIUS, "during", "temperature during",
        "the hottest of the same sensors meanwhile", lambda o: o.during.temperature_c if o.during else None),
    Quantity("clock_during_mhz", MEGAHERTZ, "during", "clock during",
        "median clock of the fastest cluster of cores meanwhile",
        lambda o: max(o.during.clocks_mhz.values(), default=None) if o.during else None),
    Quantity("temperature_after_c", CELSIUS, "after", "temperature after", "the same sensors after the trial",
        lambda o: o.after.temperature_c if o.after else None),
    Quantity("wall_s", SECONDS, "effort", "wall time",
        "from the first byte to the device until the answer was read, by this host's clock", lambda o: o.wall_s,
        better="lower"),
    Quantity("tool_s", SECONDS, "effort", "tool time",
        "from start to end of the measuring process, by the device's clock", lambda o: o.tool_s, better="lower"),
    Quantity("cooldown_s", SECONDS, "effort", "cool-down", "how long the trial waited for the device to cool down",
        lambda o: o.cooldown_s, better="lower"),
    Quantity("controller_cpu", SHARE, "effort", "load of our own",
        "processor time that benchbench itself took on its host meanwhile, as a share of one core", case="median",
        better="lower"),
    Quantity("repeated", COUNT, "effort", "measured again",
        "how often the trial was measured again since its launch was disturbed", lambda o: len(o.repeated),
        better="lower"),
    Quantity("attempts", COUNT, "effort", "attempts", "how often the trial was tried", lambda o: o.attempts,
        better="lower"),
    _score("n", COUNT, "samples", "samples that were scored"),
    _score("top1", SHARE, "top-1 accuracy", "share of samples whose label is the first answer", "higher", "top-1",
        "paired"),
    _score("top1_low", SHARE, "top-1 accuracy, lower end", "lower end of its 95 % interval (Wilson)"),
    _score("top1_high", SHARE, "top-1 accuracy, upper end", "upper end of its 95 % interval (Wilson)"),
    _score("top5", SHARE, "top-5 accuracy", "share of samples whose label is among the first five answers", "higher"),
    _score("top5_low", SHARE, "top-5 accuracy, lower end", "lower end of its 95 % interval (Wilson)"),
    _score("top5_high", SHARE, "top-5 accuracy, upper end", "upper end of its 95 % interval (Wilson)"),
    _score("recall_min", SHARE, "lowest recall", "recall of the class that is found least", "higher"),
    _score("recall_min_class", COUNT, "class of the lowest recall", "the number of that class"),
    _score("map", NUMBER, "mAP", "mean average precision of boxes, over IoU 0.50 to 0.95 (COCO)", "higher"),
    _score("map50", NUMBER, "mAP at 0.50", "the same at IoU 0.50", "higher"),
    _score("map75", NUMBER, "mAP at 0.75", "the same at IoU 0.75", "higher"),
    _score("compared", COUNT, "samples compared", "samples whose outputs were held against the reference's"),
    _score("agreement", SHARE, "agreement with the reference", "share of samples with the reference's first answer",
        "higher", "Agreement"),
    _score("cosine", COSINE, "cosine to the reference",
        "cosine between the outputs and the reference's, mean over samples", "higher", "Cosine"),
    _score("sqnr_db", DECIBEL, "signal to error", "10 log10(Σ reference² / Σ error²)", "higher", "SQNR"),
    _score("max_error", NUMBER, "largest error", "largest absolute error against the reference", "lower"),
    _score("mean_error", NUMBER, "mean error", "mean absolute error against the reference", "lower"),
    _score("nan", SHARE, "NaN", "share of output values that are NaN", "lower"),
    _score("inf", SHARE, "infinite", "share of output values that are infinite", "lower"),
    _score("saturated", SHARE, "saturated",
        "share of output values at the end of a quantized range that the reference exceeds", "lower"),
    _score("broken", COUNT, "broken", "1 = an output is broken, and its time that of wrong answers", "lower"),
)
# fmt: on
SCORES = tuple(one for one in QUANTITIES if one.case == "scored")  # a frame has those that a trial of it has
PER_LAUNCH = tuple(one for one in QUANTITIES if one.case != "scored")  # a frame has all of them
MEASURING = frozenset(one.purpose for one in PER_LAUNCH)  # the modes whose launches are samples
_BY_NAME = {one.name: one for one in QUANTITIES}
_BY_CASE_COLUMN = {one.case_column: one for one in QUANTITIES if one.case is not None}
LATENCY_MS = _BY_CASE_COLUMN["median_ms"]
RACED = {one.case_column: one for one in QUANTITIES if one.case == "median" and one.better and one.read and one.timed}


def of_group(group: str) -> tuple[Quantity, ...]:
    return tuple(one for one in QUANTITIES if one.group == group)


def quantity(name: str) -> Quantity:
    """The quantity of a column of the trials."""
    return _BY_NAME[name]


def race_quantity(column: str | None) -> Quantity:
    """What cases race by: a column of theirs that each launch has; None = the latency. Raises KeyError for another."""
    return RACED[column or LATENCY_MS.case_column]


def case_quantity(column: str) -> Quantity:
    """The quantity that stands in a column of the cases; `median_ms` is there the latency."""
    return _BY_CASE_COLUMN[column]
