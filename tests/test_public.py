"""What `import benchbench` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import benchbench


@pytest.mark.parametrize("name", benchbench.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    import benchbench.cli.main  # submodules must not hide what is offered
    import benchbench.plan
    import benchbench.report.page

    assert callable(getattr(benchbench, name))


def test_a_name_that_is_not_offered_is_refused_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = benchbench.nothing


def test_importing_the_package_imports_no_heavy_library() -> None:
    script = "import sys, benchbench; print([m for m in ('pandas', 'numpy', 'paramiko', 'altair') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
