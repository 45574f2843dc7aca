"""Writes the parts of READMEs that models of files and the table of quantities make, and the schema of device files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from benchbench.analysis.dictionary import dictionary
from benchbench.config.reference import device_reference, matrix_reference
from benchbench.config.schema import DEVICE_FILE, as_text, device_schema

ROOT = Path(__file__).parents[1]
PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "benchbench" / "config" / "README.md": matrix_reference,
    ROOT / "devices" / "README.md": device_reference,
    ROOT / "reports" / "README.md": dictionary,
}
_PART = re.compile(r"(<!-- (?:keys|columns) of .*?-->\n).*?(<!-- end of the (?:keys|columns) -->)", re.DOTALL)


def page(path: Path) -> str:
    """The page with the part that is made as it should be."""
    made, count = _PART.subn(lambda part: f"{part[1]}\n{PAGES[path]()}\n{part[2]}", path.read_text(encoding="utf-8"))
    assert count == 1
    return made


def main() -> None:
    for path in PAGES:
        path.write_text(page(path), encoding="utf-8")
    (ROOT / "devices" / DEVICE_FILE).write_text(as_text(device_schema()), encoding="utf-8")


if __name__ == "__main__":
    main()
