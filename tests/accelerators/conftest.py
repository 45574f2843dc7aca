from __future__ import annotations

from pathlib import Path

import pytest

from tests.beds import models
from tests.beds.delegate import build


@pytest.fixture(scope="session")
def delegate_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if build.compiler() is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    return build.build_delegate(tmp_path_factory.mktemp("delegate"))


@pytest.fixture(scope="session")
def stranger_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if build.compiler() is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    return build.build_stranger(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight elementwise nodes; the test delegate knows all but the two TANH."""
    path = tmp_path_factory.mktemp("models") / "chain.tflite"
    path.write_bytes(models.chain_model(8))
    return path


@pytest.fixture(scope="session")
def conv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "conv.tflite"
    path.write_bytes(models.conv_model())
    return path


@pytest.fixture(scope="session")
def compiled_for_edgetpu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "mobilenet_edgetpu.tflite"
    path.write_bytes(models.edgetpu_model())
    return path
