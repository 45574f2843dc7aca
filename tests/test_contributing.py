"""CONTRIBUTING is true: its files exist, its picture is that of the package, and its lists of edits are complete."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "benchbench"
LARGE_MB = 50
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "benchbench", "devices",
    "pyproject.toml", "reports", "requirements.lock", "tests",
}  # fmt: skip
MOST_EDITS = 2  # besides the new file or folder
LONGEST_NAME = 80  # of a test
# Where one kind is meant, so that another one changes nothing: an evaluation asks for conditions, and for no meter.
MEANT = {"benchbench/accuracy/collect/launch_sequence.py"}


def recipes() -> dict[str, list[str]]:
    """What can be added -> the file that each step begins with."""
    found = {}
    for title, text in re.findall(r"^## Adding an? (.*?)\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL):
        found[title] = re.findall(r"^\d+\. `([^`]+)`", text, re.MULTILINE)
    return found


def exists(path: str) -> bool:
    """Whether there is such a file or folder; NAME stands for any name."""
    return any(ROOT.glob(path.replace("NAME", "*")))


def imported(module: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name` in a file."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def test_there_is_a_recipe_for_each_thing_that_can_be_added() -> None:
    wanted = {"backend", "runtime", "mode", "instrument", "section", "figure", "quantity"}
    assert {title.split()[0] for title in recipes()} == wanted


@pytest.mark.parametrize("title", recipes())
def test_a_recipe_names_files_that_exist_and_few_edits_beside_the_new_one(title: str) -> None:
    steps = recipes()[title]
    files = [step for step in steps if "/" in step]
    assert files
    assert [path for path in files if not exists(path)] == []
    assert len([path for path in files if "NAME" not in path]) <= MOST_EDITS


@pytest.mark.parametrize("title", [title for title, steps in recipes().items() if "NAME" in steps[0]])
def test_what_was_added_before_is_named_in_the_listed_files_only(title: str) -> None:
    """What the list imports from its own folder, nobody outside that folder imports by its own name."""
    new, registry, *_ = recipes()[title]
    folder = ".".join(Path(registry).parent.parts)
    own = {
        (module, name)
        for module, name in imported(ROOT / registry)
        if (module.startswith(f"{folder}.") and module.rpartition(".")[2] != "base")
        or (module == folder and (ROOT / registry).with_name(f"{name}.py").exists())
    }
    assert own
    inside = (ROOT / new).parent if new.endswith("/") else None
    named = {
        str(path.relative_to(ROOT)): sorted(own & set(imported(path)))
        for path in PACKAGE.rglob("*.py")
        if path != ROOT / registry and own & set(imported(path)) and not (inside and inside in path.parents)
    }
    assert {path: names for path, names in named.items() if path not in MEANT} == {}


def test_every_file_that_is_named_exists() -> None:
    paths = re.findall(r"`((?:benchbench|tests|reports|devices|\.ci)/[^`\s]*)`", TEXT)
    assert [path for path in paths if not exists(path)] == []
    assert len(paths) > 10


def test_the_picture_shows_the_rooms_there_are_in_the_order_of_their_layers() -> None:
    picture = re.search(r"^    benchbench/\n(.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert picture
    shown = re.findall(r"^        (\w+)(?:/|\.py) ", picture[1], re.MULTILINE)
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(c["layers"] for c in config["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert [room for layer in layers for room in re.split(r"\s*[|:]\s*", layer)] == shown
    assert set(shown) == there - {"__init__"}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([\w-]+)", TEXT))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_large_dependency_of_a_base_install_is_justified() -> None:
    justified = set(re.findall(r"^\| ([a-z0-9-]+) \| \d+ \|", TEXT, re.MULTILINE))
    sizes = {name: size_mb(name) for name in dependencies()}
    assert {name: size for name, size in sizes.items() if size > LARGE_MB and name not in justified} == {}
    assert sizes["numpy"] > 0


def dependencies() -> set[str]:
    """All distributions that an install without extras brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    waiting = list(project["dependencies"])
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += importlib.metadata.requires(name) or ()
    return found


def size_mb(name: str) -> float:
    """What a distribution has installed, without bytecode."""
    paths = [Path(str(file.locate())) for file in importlib.metadata.files(name) or ()]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file()) / 1e6


def test_names_of_tests_are_short_enough_to_be_read() -> None:
    found = [
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert [name for name in found if len(name) > LONGEST_NAME] == []
    assert len(found) > 1000


def test_nothing_is_committed_that_a_clone_elsewhere_cannot_use() -> None:
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    modes = {name: fields.split()[0] for fields, name in (line.split("\t", 1) for line in listed.stdout.splitlines())}
    assert set(modes.values()) <= {"100644", "100755"}, "a link or a submodule leads out of the clone"
    assert {name.partition("/")[0] for name in modes} == TOP_LEVEL
