"""A stand-in of LiteRT's own benchmark_model for test devices: it answers what the genuine tool answered.

`install` writes one executable script that holds recordings of tests/recorded/litert.jsonl and replays, by the flags
it is given, the one that fits: text, streams and exit code are the genuine ones, and no model is run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "recorded" / "litert.jsonl"
HELP, USAGE, CPU, NPU, NO_GPU, GPU, GPU_INT16, REQUIRED = "01", "02", "05", "08", "09", "19", "21", "23"

_PROGRAM = """#!{python}
import json, os, re, sys

RUNS = json.loads({runs!r})


def replay(number, first=""):
    run = RUNS[number]
    print(run["stdout"].replace("STARTING!\\n", "STARTING!\\n" + first), end="", flush=True)
    print(run["stderr"], end="", file=sys.stderr, flush=True)
    sys.exit(run["exit_code"])


known = set(re.findall(r"^\\t--([\\w-]+)=", RUNS["{usage}"]["stderr"], re.MULTILINE))
given, rest = {{}}, []
for argument in sys.argv[1:]:
    match = re.fullmatch(r"--([\\w-]+)=(.*)", argument)
    if argument.startswith("--help"):
        replay("{help}")
    if match is None or match[1] not in known or match[1] in given:
        rest.append(argument)
    else:
        given[match[1]] = match[2]
if not given.get("num_runs", "50").isdigit():
    replay("{usage}")
on = {{name for name, value in given.items() if value == "true"}}
unconsumed = "WARN: Unconsumed cmdline flags: " + " ".join(rest) + "\\n" if rest else ""
if "use_gpu" in on and "require_full_delegation" in on and given.get("use_cpu", "true") == "true":
    replay("{required}", unconsumed)
if "use_gpu" in on and "VK_ICD_FILENAMES" not in os.environ:
    replay("{no_gpu}", unconsumed)
int16 = f"(MB): {{os.path.getsize(given['graph']) / 1e6:g}}\\n" in RUNS["{gpu_int16}"]["stdout"]
gpu = "{gpu_int16}" if int16 else "{gpu}"
replay(gpu if "use_gpu" in on else "{npu}" if "use_npu" in on else "{cpu}", unconsumed)
"""


def install(target: Path, *, python: str = sys.executable) -> Path:
    """Write the tool to `target`; returns `target`. Without VK_ICD_FILENAMES in its environment it has no GPU."""
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    runs = {run["name"][:2]: run for run in map(json.loads, lines)}
    numbers = {
        "help": HELP,
        "usage": USAGE,
        "cpu": CPU,
        "npu": NPU,
        "no_gpu": NO_GPU,
        "gpu": GPU,
        "gpu_int16": GPU_INT16,
        "required": REQUIRED,
    }
    kept = json.dumps({number: runs[number] for number in numbers.values()})
    target.write_text(_PROGRAM.format(python=python, runs=kept, **numbers), encoding="utf-8")
    target.chmod(0o755)
    return target
