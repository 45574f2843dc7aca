"""What `import benchbench` offers."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import benchbench
from tests.report.builder import launches, write_run


@pytest.mark.parametrize("name", benchbench.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    import benchbench.cli.main  # submodules must not hide what is offered
    import benchbench.plan
    import benchbench.report.page

    assert callable(getattr(benchbench, name))


def test_dir_shows_what_is_offered_and_no_more() -> None:
    assert [name for name in dir(benchbench) if not name.startswith("_")] == sorted(benchbench.__all__)


@pytest.mark.parametrize("name", sorted(set(benchbench.__all__) - {"Run", "Selection", "BenchbenchError"}))
def test_a_path_may_be_a_text_or_a_path(name: str) -> None:
    parameters = inspect.signature(getattr(benchbench, name)).parameters.values()
    taken = [str(parameter.annotation) for parameter in parameters]
    assert [words for words in taken if re.search(r"(?<!str \| )\bPath\b", words)] == []


def test_a_run_shows_itself_in_a_notebook_without_any_markup_of_others(tmp_path: Path) -> None:
    write_run(tmp_path, launches([1.0, 2.0, 3.0]), name="<b>mine</b>")
    run = benchbench.load(str(tmp_path))
    assert repr(run) == f"<Run '<b>mine</b>' in '{tmp_path}': 1 case>"
    html = run._repr_html_()
    assert "&lt;b&gt;mine&lt;/b&gt;" in html
    assert html.count("<tr") == 2  # the heading and the case
    assert "2.00 ms median" in html


def test_a_name_that_is_not_offered_is_refused_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = benchbench.nothing


def test_importing_the_package_imports_no_heavy_library() -> None:
    heavy = ("pandas", "numpy", "paramiko", "vl_convert", "matplotlib")
    script = f"import sys, benchbench; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
