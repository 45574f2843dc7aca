"""What reaches a terminal, a page or a run folder: never a control character, never a secret."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.cli.console import Console
from benchbench.config.globs import LONGEST_GLOB
from benchbench.config.inventory import select
from benchbench.config.matrix import load_matrix
from benchbench.config.rules import SkipRule
from benchbench.config.toml_files import read_toml
from benchbench.execution.selection import Selection
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_text
from benchbench.runtimes.tflite.model.packed import LARGEST_LABELS, packed_labels
from benchbench.runtimes.tflite.quantize.edgetpu import read_mapping
from benchbench.values.errors import InputError
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.visible import visible
from tests.execution.runs import lines, run, shortened
from tests.workbench import Workbench, outcomes

HOSTILE = "a\x1b[31mb\x07\x9bc\u202ed\u2066e\u2028f\r\x00\ud800\U000e0041"


def test_control_characters_are_written_out_and_text_is_left_alone() -> None:
    assert visible("naïve – 日本語 ‌ \t\n µs") == "naïve – 日本語 ‌ \t\n µs"
    shown = visible(HOSTILE)
    assert shown.isprintable()
    assert "\\u001b[31m" in shown
    assert json.loads(f'"{shown}"') == HOSTILE


def test_no_control_character_of_a_text_leaves_the_console() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, highlight=False)
    console.print(f"{HOSTILE} [bold]x[/bold]")
    assert "\\u001b[31m" in file.getvalue()
    assert "\x1b[1m" in file.getvalue()  # rich's own
    assert not {"\x9b", "\u202e", "\x07"} & set(file.getvalue())


def test_an_error_on_a_hostile_name_is_harmless(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    done = bench.benchbench("models", "x\x1b]0;owned\x07\u202e.tflite", expect=2)
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)


def test_values_of_env_are_nowhere_in_a_run_folder_and_resume_reads_them_anew(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    secret = "s3cret-t0ken-of-mine"
    file = bench.inventory / "host.toml"
    file.write_text(file.read_text() + f'env = {{ HF_TOKEN = "{secret}" }}\n')
    folder = run(bench, bench.matrix("float32", rounds=3))
    shortened(folder, 1)
    held = [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert held == []
    api.resume(folder)
    assert [outcome.status for outcome in outcomes(folder)] == ["ok"] * 3
    shortened(folder, 1)
    file.unlink()
    with pytest.raises(InputError, match=r"HF_TOKEN.* is gone"):
        api.resume(folder)
    assert len(lines(folder)) == 1


def test_labels_packed_in_a_model_are_bounded_in_all() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"labels{number}.txt", "x\n" * (LARGEST_LABELS // 4))
    files, labels = packed_labels(packed.getvalue())
    assert len(files) == 20
    assert sum(len(line) + 1 for names in labels.values() for line in names) <= LARGEST_LABELS


def test_a_glob_and_a_file_beyond_all_measure_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="characters"):
        select([], ["*a" * LONGEST_GLOB], "devices")
    path = tmp_path / "matrix.toml"
    path.write_text("# " + "x" * 2_000_000)
    with pytest.raises(InputError, match="larger than"):
        read_toml(path)


@pytest.mark.parametrize("where", ["device", "family", "variant", "scheme", "delegate"])
def test_a_glob_of_a_skip_rule_is_bounded(where: str) -> None:
    SkipRule.model_validate({where: "*" * LONGEST_GLOB})
    with pytest.raises(ValueError, match=where):
        SkipRule.model_validate({where: "*" * (LONGEST_GLOB + 1)})


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_a_glob_of_a_selection_is_bounded(option: str, tmp_path: Path) -> None:
    Selection(only=("*" * LONGEST_GLOB,), skip=("*" * LONGEST_GLOB,))
    bench = Workbench(tmp_path)
    matrix = bench.matrix("float32", rounds=1)
    done = bench.benchbench("plan", matrix.name, option, "*a" * LONGEST_GLOB, expect=2)
    assert option in done.stderr
    assert len(done.stderr) < 300


def test_folders_are_not_walked_once_for_each_pair_of_stars(tmp_path: Path) -> None:
    tmp_path.joinpath(*"abcdefghijklmnopqrst").mkdir(parents=True)
    matrix = tmp_path / "matrix.toml"
    matrix.write_text(
        'name = "x"\ndelegates = ["cpu"]\n[[model]]\nfamily = "net"\nvariants = "' + "**/" * 30 + '*.tflite"\n'
    )
    with pytest.raises(InputError, match="more than once"):
        load_matrix(matrix)


def test_what_the_compiler_says_costs_no_more_than_its_length() -> None:
    table = "Operator Count Status\n"
    for pumped in (" ", "\t", "x ", "\r", "9"):
        began = time.process_time()
        row = f"PAD 4 x{pumped * 500_000}y  \t\r\n"
        assert read_mapping(table + row).ops[0].status == row[6:].rstrip()
        read_mapping("Operator Count Status" + pumped * 500_000 + "x")
        assert time.process_time() - began < 20


@pytest.mark.parametrize("unit", ["9", "9.", "_", "-", "e+", ".", "[", "count=", "0 us ", "x: [", "\x1b[0", "GPU "])
def test_a_line_pumped_up_costs_no_more_than_its_length(unit: str) -> None:
    for head in ("Inference timings in us: Init: ", "count=", "", "ERROR: benchmark_model "):
        began = time.process_time()
        read_text(head + unit * (1_000_000 // len(unit)) + " will run on the GPU acceleration is unsupported")
        assert time.process_time() - began < 20  # backtracking took half a minute for a thousand digits


def test_a_row_of_an_op_profile_with_many_digits_costs_no_more_than_its_length() -> None:
    """Which of the digits belong to which part of a number was tried for each of its six columns together."""
    names = ("node type", "first", "avg ms", "%", "cdf%", "mem KB", "times called", "Name")
    header = "\t".join(f"[{n}]" for n in names)
    table = ["Operator-wise Profiling Info for Regular Benchmark Runs:", "====== Run Order ======", header]
    began = time.process_time()
    read_text("\n".join(["STARTING!", *table, "\t".join(["CONV_2D", *["9" * 20] * 6]) + "x", ""]))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"min_seconds": 30, "timeout_seconds": 20}, "timeout_seconds"),
        ({"warmup_min_seconds": 200}, "warmup_min_seconds"),
    ],
)
def test_settings_that_cannot_end_in_time_are_refused_by_their_keys(given: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        MeasurementSettings.model_validate(given)


def test_a_model_of_forty_seconds_an_inference_ends_in_time_with_the_defaults() -> None:
    measure, inference = MeasurementSettings(), 40.0
    phase = measure.max_seconds + inference  # as the tools stop: after the inference that passed the limit
    assert 2 * phase + inference < measure.timeout_seconds


def test_what_a_job_says_is_bounded_and_said(tmp_path: Path) -> None:
    from benchbench.device.session import open_session
    from benchbench.values.device import Device, Local
    from benchbench.values.job import Job

    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    babble = Job(argv=("sh", "-c", "echo begin; head -c 30000000 /dev/zero | tr '\\0' x; echo end"), timeout_s=120)
    with open_session(device) as session:
        raw = session.run("a", babble, outputs_to=tmp_path).raw
    assert raw.exit_code == 0
    assert raw.stdout.startswith(b"begin\n")
    assert raw.stdout.endswith(b"end\n")
    assert b"bytes of output left out by benchbench]" in raw.stdout
    assert len(raw.stdout) < 1_100_000
