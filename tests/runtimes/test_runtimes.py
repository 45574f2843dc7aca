"""The seam between runtimes and the rooms above: what is asked of a format, and of a kind of backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench import demo
from benchbench.runtimes import RUNTIMES, mismatch, runtime_of, runtime_of_backend
from benchbench.runtimes.models import inspect
from benchbench.runtimes.tflite.backends import Xnnpack
from benchbench.values.case import Variant

DEMO = Path(demo.__file__).parent / "fashion_mnist"
TFLITE = Variant(family="net", name="float32", scheme="float32", path="", sha256="", size_mb=0, nodes=1)


@pytest.fixture
def demo_family() -> tuple[Path, Path]:
    """Two files of the shipped family."""
    first, second, *_ = sorted(DEMO.glob("*.tflite"))
    return first, second


def test_no_two_runtimes_have_a_format_suffix_or_backend_in_common() -> None:
    formats = [runtime.format for runtime in RUNTIMES]
    suffixes = [suffix for runtime in RUNTIMES for suffix in runtime.suffixes]
    kinds = [kind for runtime in RUNTIMES for kind in runtime.backends]

    for names in (formats, suffixes, kinds):
        assert len(set(names)) == len(names)
    assert all(runtime_of_backend(kind) in RUNTIMES for kind in kinds)
    assert {runtime_of(name).format for name in formats} == set(formats)


def test_a_backend_refuses_models_of_another_runtimes_format() -> None:
    other = TFLITE.model_copy(update={"format": "onnx"})

    assert mismatch(TFLITE, Xnnpack()) is None
    assert mismatch(other, Xnnpack()) == "xnnpack is a delegate for .tflite models, not for .onnx"


def test_variants_of_old_run_folders_are_tflite_models() -> None:
    assert Variant.model_validate(TFLITE.model_dump(exclude={"format"})).format == "tflite"


def test_a_file_that_was_replaced_is_inspected_again(demo_family: tuple[Path, Path], tmp_path: Path) -> None:
    path, (first, second) = tmp_path / "net.tflite", demo_family
    path.write_bytes(first.read_bytes())
    before = inspect(path)
    path.write_bytes(second.read_bytes())

    assert inspect(path).sha256 != before.sha256
    assert inspect(path).format == "tflite"
