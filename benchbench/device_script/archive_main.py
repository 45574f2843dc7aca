"""The `__main__.py` of the archive, and of nothing else.

It imports the package itself, because zipimport compiles every module twice: once only to tell its file's name.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = "device_script"


class Modules:
    """Finds and loads the modules of the archive."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] != PACKAGE:
            return None
        archive: Any = sys.modules[__name__].__loader__
        loader: Any = Modules
        path = name.replace(".", "/")
        for file, is_package in ((path + ".py", False), (path + "/__init__.py", True)):
            try:
                source = archive.get_data(file)
            except OSError:
                continue
            spec = ModuleSpec(name, loader, origin=f"{sys.argv[0]}/{file}", is_package=is_package)
            spec.loader_state = source
            spec.has_location = True
            return spec
        return None

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """The import system makes it."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.origin is not None:
            exec(compile(spec.loader_state, spec.origin, "exec"), vars(module))  # noqa: S102


if __name__ == "__main__":
    sys.meta_path.insert(0, Modules)
    from device_script.main import main  # type: ignore[import-not-found]

    sys.exit(main([sys.executable, sys.argv[0]], sys.argv[1:]))
