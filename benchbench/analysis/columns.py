"""The columns of the frames, in order: the quantities of the table, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.values.quantities import PER_LAUNCH, SCORES, of_group, quantity
from benchbench.values.quantity import COUNT, MILLISECONDS, NUMBER, SECONDS, SHARE, Dtype, Quantity, Unit

NO_UNIT = Unit("")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is no quantity of an outcome."""

    name: str
    about: str
    dtype: Dtype = "str"
    unit: Unit = NO_UNIT


Columns = dict[str, Column | Quantity]


def _of_trials(*columns: Column | Quantity) -> Columns:
    """Columns by name; a quantity that has its place further ahead does not come again."""
    return {column.name: column for column in dict.fromkeys(columns)}


def _of_cases(*columns: Column | Quantity) -> Columns:
    """As `_of_trials`, of the quantities those that a case has, under their names there."""
    named = [(c.case_column if isinstance(c, Quantity) else c.name, c) for c in dict.fromkeys(columns)]
    return {name: column for name, column in named if isinstance(column, Column) or column.case is not None}


RUN = Column("run", "id of the run")
DEVICE = Column("device", "name of the device")
FAMILY = Column("family", "model family")
VARIANT = Column("variant", "variant of the family")
SCHEME = Column("scheme", "quantization scheme, read from the file")
DELEGATE = Column("delegate", "the delegate asked for, with its options")
KIND = Column("kind", "the delegate's kind, without options")
THREADS = Column("threads", "threads asked for", "Int64", COUNT)
AFFINITY = Column("affinity", "cores asked for")
CASE = Column("case", "id of the case")
STATUS = Column("status", "ok, failed, incomplete or skipped; of a case also pending: no launch has an outcome yet")
VERDICT = Column("verdict", "delegation: full, partial, none, unavailable or unknown; of a case also mixed")
EVIDENCE = Column("evidence", "the tool's line that says so")
EXECUTOR = Column("executor", "what really executed the graph")
OPS_LEFT = Column("ops_left", "ops that the delegate left, by type and number; empty = none, or nobody said which")
STATISTIC = Column("statistic", "what the latency is of each launch's inferences: median or mean")
RUNNER = Column("runner", "benchmark_model or python")
TOOL = Column("tool", "what measured, with its version where it says one")
ERROR = Column("error", "the telling line of a failure; of a case why it has no number")
REMEDY = Column("remedy", "what to do about it")
TRIAL = Column("trial", "id of the trial")
PLACE = (DEVICE, FAMILY, VARIANT, SCHEME, DELEGATE, KIND, THREADS, AFFINITY, CASE)

TRIALS = _of_trials(
    RUN,
    *PLACE,
    Column("round", "pass over all cases of the device, from 0", "Int64", COUNT),
    Column("position", "place in the device's recorded order", "Int64", COUNT),
    TRIAL,
    Column("purpose", "the mode of the trial, such as latency, profile or accuracy"),
    STATUS,
    VERDICT,
    EVIDENCE,
    EXECUTOR,
    *of_group("delegation"),
    OPS_LEFT,
    Column("fallback", "what executes the nodes that the delegate does not take"),
    Column("cache", "the compile cache asked for, cold or warm; empty = none"),
    Column("cache_used", "whether it was as it was asked for: yes, no, or unknown"),
    Column("cache_evidence", "the tool's line, or what became of its files, that says so"),
    RUNNER,
    TOOL,
    *of_group("phase"),
    *of_group("steady"),
    STATISTIC,
    Column("percentile_method", "how the tool takes percentiles"),
    *of_group("runs"),
    *of_group("memory"),
    quantity("temperature_before_c"),
    quantity("temperature_after_c"),
    Column("throttled", "throttle flags seen before or after the trial; empty = none"),
    Column("disturbed", "why the launch is in no headline number; empty = it may be"),
    *of_group("before"),
    Column("started", "UTC, ISO 8601"),
    *PER_LAUNCH,
    Column("exit_code", "of the measuring process", "Int64", NO_UNIT),
    ERROR,
    REMEDY,
    Column("command", "command line of the launch on the device, in its job's folder"),
    Column("log", "path of the log, below the run folder"),
)

CASES = _of_cases(
    RUN,
    DEVICE,
    FAMILY,
    VARIANT,
    SCHEME,
    Column("network", "which network, where it is another than the family's, or is fed otherwise"),
    Column("relation", "same, or how the file was derived from the family's network"),
    Column("because", "what in the file says so"),
    DELEGATE,
    KIND,
    THREADS,
    AFFINITY,
    CASE,
    STATUS,
    VERDICT,
    EXECUTOR,
    Column("headline", "whether the latency may stand under the delegate asked for: it ran there, undisturbed", "bool"),
    STATISTIC,
    quantity("typical_ms"),
    Column("low_ms", "lower end of its interval", "float64", MILLISECONDS),
    Column("high_ms", "upper end of its interval", "float64", MILLISECONDS),
    Column("between_cv", "standard deviation / mean of the launches", "float64", NUMBER),
    *of_group("steady"),
    Column("launches", "launches behind the numbers", "Int64", COUNT),
    Column("launches_ok", "launches that ended well", "Int64", COUNT),
    Column("launches_all", "launches with an outcome", "Int64", COUNT),
    Column("stopped", "why it has no further rounds; empty = it had those of the plan"),
    *of_group("phase"),
    *of_group("memory"),
    *of_group("added"),
    *of_group("file"),
    Column("sha256", "of the model file"),
    Column("fed", "the sizes of its inputs as measured, such as 1×224×224×3"),
    *PER_LAUNCH,
    OPS_LEFT,
    EVIDENCE,
    RUNNER,
    TOOL,
    Column("tool_version", "as far as it is known"),
    Column("tool_sha256", "of the binary, or of benchbench's script"),
    ERROR,
    REMEDY,
    Column("samples_ms", "the latency of each launch behind the number", "object", MILLISECONDS),
    Column("doubts", "what speaks against the numbers", "object"),
)

# What trials with outputs have besides, and their cases: only the columns that some row of a frame has.
SCORED = _of_trials(
    *SCORES,
    Column("accuracy_dataset", "sha256 of the samples"),
    Column("accuracy_correct", "which samples were right, packed into digits (accuracy/metrics.py)"),
    Column("accuracy_flags", "what is wrong or odd with the outputs, in words"),
    Column("accuracy_telling", "the measures that a wrong model would not pass too"),
    Column("accuracy_data_doubt", "why the samples may not be what the model was trained on"),
    Column("accuracy_data_remedy", "what to do about it"),
)

_NUMBERED = (
    Column("class", "number of the class", "Int64", COUNT),
    Column("name", "its name; empty = nobody says"),
)
CLASSES = _of_trials(
    RUN,
    *PLACE,
    *_NUMBERED,
    Column("support", "samples with that label", "Int64", COUNT),
    Column("found", "how many of them were found", "Int64", COUNT),
    Column("recall", "found / support; empty for a class without samples", "float64", SHARE),
    Column("recall_low", "lower end of its 95 % interval (Wilson)", "float64", SHARE),
    Column("recall_high", "upper end of its 95 % interval (Wilson)", "float64", SHARE),
)
CONFUSION = _of_trials(
    RUN,
    *PLACE,
    Column("label", "class of the samples", "Int64", COUNT),
    Column("label_name", "its name"),
    Column("answer", "class that was answered", "Int64", COUNT),
    Column("answer_name", "its name"),
    Column("count", "samples with both", "Int64", COUNT),
)

INFERENCES = _of_trials(
    RUN,
    *PLACE,
    TRIAL,
    Column("number", "place among the steady inferences of its launch, from 0", "Int64", COUNT),
    Column("time_ms", "how long it took", "float64", MILLISECONDS),
)

CONDITIONS = _of_trials(
    RUN,
    *PLACE,
    TRIAL,
    Column("quantity", "what was read: temperature, clock, clock limit (of thermal caps), or throttled"),
    Column("sensor", "a thermal zone, a cluster of cores, or a throttle flag"),
    Column("second", "of the trial, from the beginning of its tool", "float64", SECONDS),
    Column("at", "when that was, by the clock of the host", "datetime64[ms, UTC]"),
    Column("value", "°C, MHz, or 1 for a flag that was set", "float64", NUMBER),
)

COMPARISON = _of_trials(
    CASE,
    DEVICE,
    FAMILY,
    VARIANT,
    DELEGATE,
    THREADS,
    STATISTIC,
    Column(
        "base_ms",
        "median over the launches of the base; of three and more base runs the geometric mean of their medians",
        "float64",
        MILLISECONDS,
    ),
    Column("new_ms", "median over the launches of the new run", "float64", MILLISECONDS),
    Column(
        "ratio",
        "new / base: the median of all ratios of a launch to a launch; of three and more base runs new_ms / base_ms",
        "float64",
        NUMBER,
    ),
    Column("ratio_low", "lower end of its 95 % interval", "float64", NUMBER),
    Column("ratio_high", "upper end of its 95 % interval", "float64", NUMBER),
    Column("p", "adjusted for all cases compared", "float64", NUMBER),
    Column(
        "more_rounds",
        "rounds more that would tell a difference as large as the one seen, or that there is none",
        "Int64",
        COUNT,
    ),
    Column(
        "more_runs",
        "the same of base runs, where three and more judge the case; none where ten in all would not tell",
        "Int64",
        COUNT,
    ),
    Column("verdict", "slower, gone, lost, cannot tell, faster, same, left out, only in new or not measured"),
    Column("why", "why no more can be said"),
    Column("regressed", "whether it fails a build: by `--fail-on`, in Python by the default (slower)", "bool"),
    Column("left_out", "launches of both sides that were disturbed, and do not count", "Int64", COUNT),
    Column("doubts", "what differs besides the time, then what speaks against either number", "object"),
)


def typed(rows: Sequence[Mapping[str, Any]], columns: Columns) -> pd.DataFrame:
    """Rows as a frame whose columns exist and have their types also where no row has a value.

    What else the rows have comes last: `accuracy_NAME`, and `accuracy_NAME:OUTPUT` for one of several outputs.
    """
    scores = dict.fromkeys(key for row in rows for key in row if key not in columns)
    known = {name: column for name in scores if (column := SCORED.get(name.partition(":")[0])) is not None}
    # Column by column: a list of dicts costs pandas ten times as much.
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in (*columns, *scores)})
    for name in scores:
        column = known.get(name)
        if isinstance(column, Quantity):  # whatever else a stranger's file holds there is missing
            numbers = pd.to_numeric(frame[name], errors="coerce").replace([math.inf, -math.inf], math.nan)
            frame[name] = numbers.where(numbers % 1 == 0) if column.dtype == "Int64" else numbers
        elif frame[name].isna().all():
            frame[name] = frame[name].astype("str")
    return frame.astype({name: c.dtype for name, c in (columns | known).items() if c.dtype != "object"})


def typed_columns(values: Mapping[str, Sequence[Any]], columns: Columns) -> pd.DataFrame:
    """As `typed`, from whole columns, all of which are there."""
    return pd.DataFrame(values).astype({name: column.dtype for name, column in columns.items()})
