"""Writes the parts of READMEs that models of files and the table of quantities make, and the schema of device files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from benchbench.analysis.dictionary import dictionary
from benchbench.config.reference import device_reference, matrix_reference
from benchbench.config.schema import DEVICE_FILE, as_text, device_schema
from benchbench.report.record_fields import report_fields

ROOT = Path(__file__).parents[1]
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "benchbench" / "config" / "README.md": {"keys": matrix_reference},
    ROOT / "devices" / "README.md": {"keys": device_reference},
    ROOT / "reports" / "README.md": {"columns": dictionary, "fields": report_fields},
}
_PART = r"(<!-- {0} of .*?-->\n).*?(<!-- end of the {0} -->)"


def page(path: Path) -> str:
    """The page with the parts that are made as they should be."""
    made = path.read_text(encoding="utf-8")
    for kind, make in PAGES[path].items():
        part = re.compile(_PART.format(kind), re.DOTALL)
        (found,) = part.finditer(made)
        made = f"{made[: found.start()]}{found[1]}\n{make()}\n{found[2]}{made[found.end() :]}"
    return made


def main() -> None:
    for path in PAGES:
        path.write_text(page(path), encoding="utf-8")
    (ROOT / "devices" / DEVICE_FILE).write_text(as_text(device_schema()), encoding="utf-8")


if __name__ == "__main__":
    main()
