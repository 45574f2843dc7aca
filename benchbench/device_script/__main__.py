"""`python -m benchbench.device_script`, straight from a checkout; a .pyz has a `__main__` of its own."""

from __future__ import annotations

import sys

from .main import main

sys.exit(main([sys.executable, "-m", str(__package__)], sys.argv[1:]))
