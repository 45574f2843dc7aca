"""Which files of a family are measured with inputs of other sizes, and that their times are then held against none."""

from __future__ import annotations

from pathlib import Path

import onnx

from benchbench.analysis.compare import compare
from benchbench.analysis.frames import load
from benchbench.analysis.recommend import recommend, unfit
from benchbench.analysis.tradeoffs import tradeoffs
from benchbench.analysis.two_formats import pairs_of
from benchbench.config.matrix import load_matrix
from benchbench.runtimes.models import family_remarks
from benchbench.values.case import Variant
from benchbench.values.outcome import Delegation
from tests.beds import models, onnx_models
from tests.report.builder import launches, write_run
from tests.workbench import FAMILY

TIMES = [10.0, 10.1, 9.9, 10.05, 10.02, 9.97]
ONE = FAMILY / "fashion_mnist_float32.tflite"


def in_batches(folder: Path, samples: int | str) -> Path:
    """The shipped .onnx, its axis of samples fixed or named."""
    model = onnx.load(FAMILY / "fashion_mnist_float32.onnx")
    for tensor in (*model.graph.input, *model.graph.output):
        size = tensor.type.tensor_type.shape.dim[0]
        size.Clear()
        setattr(size, "dim_param" if isinstance(samples, str) else "dim_value", samples)
    path = folder / f"net_{samples}.onnx"
    onnx.save(model, path)
    return path


def matrix(folder: Path, *paths: Path, more: str = "") -> tuple[Variant, ...]:
    files = ", ".join(f'"{path}"' for path in paths)
    head = 'name = "n"\ndevices = ["host"]\ndelegates = ["xnnpack"]'
    text = f'{head}\n[[model]]\nfamily = "net"\nvariants = [{files}]\n{more}'
    (folder / "m.toml").write_text(text)
    return load_matrix(folder / "m.toml").variants


def test_a_file_of_another_batch_is_compared_with_none_by_its_time(tmp_path: Path) -> None:
    variants = matrix(tmp_path, ONE, in_batches(tmp_path, 4))
    one, four = variants
    assert (one.kin.network, four.kin.network) == ("", four.name)
    assert (one.fed, four.fed) == (((1, 28, 28, 1),), ((4, 28, 28, 1),))
    (said,) = family_remarks(variants)
    assert "batch 4 instead of 1" in said
    assert "4 samples" in said
    mlas = Delegation(asked="ort-cpu", verdict="full", evidence="CPUExecutionProvider: 5 nodes")
    slow = launches([time * 3 for time in TIMES], delegate="ort-cpu", model=four, delegation=mlas)
    run = load(write_run(tmp_path / "run", [*launches(TIMES, model=one), *slow], variants=variants))
    assert list(run.cases["fed"]) == ["1×28×28×1", "4×28×28×1"]
    assert pairs_of(run.cases) == ()
    assert "batch 4" in next(iter(unfit(run.cases, 0.01).values()))
    told = tradeoffs(run.cases).set_index("variant")
    assert told["best_float"][four.name] is None
    assert not told["pareto"][four.name]
    (found,) = recommend(run.cases)
    assert "no other variant" in found.sentence


def test_within_one_format_the_batch_of_most_files_is_the_familys(tmp_path: Path) -> None:
    again = tmp_path / "again.onnx"
    model = onnx.load(in_batches(tmp_path, 4))
    model.doc_string = "other bytes"
    onnx.save(model, again)
    names = {v.name: v.kin.network for v in matrix(tmp_path, in_batches(tmp_path, 1), again, in_batches(tmp_path, 4))}
    assert names == {"1.onnx": "1.onnx", "again.onnx": "", "4.onnx": ""}


def test_an_open_batch_is_one_and_what_the_matrix_gives_is_what_is_fed(tmp_path: Path) -> None:
    files = ONE, in_batches(tmp_path, "N")
    assert {variant.kin.network for variant in matrix(tmp_path, *files)} == {""}
    given = matrix(tmp_path, *files, more="inputs = [{ shape = [4, 28, 28, 1] }]")
    assert {variant.kin.network for variant in given} == {""}
    assert {variant.fed for variant in given} == {((4, 28, 28, 1),)}


def test_sizes_left_open_are_fed_otherwise_and_a_file_made_for_others_is_a_choice(tmp_path: Path) -> None:
    small = tmp_path / "small.tflite"
    small.write_bytes(models.conv_model(size=16, channels=8))
    large = tmp_path / "large.onnx"
    twin = onnx_models.twin_of(models.conv_model(size=32, channels=8))
    onnx.save(twin, large)
    left, right = matrix(tmp_path, small, large)
    assert (left.kin.relation, right.kin.relation) == ("same", "resized")
    assert {left.kin.network, right.kin.network} == {""}
    for axis in (2, 3):
        twin.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"side{axis}"
    onnx.save(twin, large)
    left, right = matrix(tmp_path, small, large)
    assert (left.kin.network, right.kin.network) == ("", right.name)
    assert "left open" in right.kin.because


def test_runs_that_fed_one_file_otherwise_have_no_faster_or_slower_case(tmp_path: Path) -> None:
    (one,) = matrix(tmp_path, in_batches(tmp_path, "N"))
    (four,) = matrix(tmp_path, in_batches(tmp_path, "N"), more="inputs = [{ shape = [4, 28, 28, 1] }]")
    runs = []
    for variant, factor in ((one, 1.0), (four, 3.0)):
        told = launches([time * factor for time in TIMES], model=variant)
        runs.append(load(write_run(tmp_path / f"run{factor:g}", told, variants=(variant,))))
    (row,) = compare(*runs).to_dict("records")
    assert row["verdict"] == "cannot tell"
    assert "1×28×28×1, then 4×28×28×1" in row["why"]
