"""What a device is: how to reach it (Address), what it is (Traits), and what its file says (Device)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Frozen(BaseModel):
    """A value: immutable, nothing in it that was not declared, and no number that is NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Local(Frozen):
    """The machine benchbench runs on."""

    transport: Literal["local"] = Field(default="local", description="This machine.")

    @property
    def reached(self) -> str:
        return "local"


class Ssh(Frozen):
    """A Linux board over SSH; anything not given here comes from the user's ssh config."""

    transport: Literal["ssh"] = Field(default="ssh", description="A Linux machine over SSH.")
    host: str = Field(min_length=1, description="Its name or address, or a Host of ~/.ssh/config.")
    port: int | None = Field(default=None, ge=1, le=65535, description="[as ssh has it]")
    user: str | None = Field(default=None, description="Who logs in there. [as ssh has it]")
    key: str | None = Field(default=None, description="The path of a private key. [those that ssh takes]")
    known_hosts: str | None = Field(default=None, description="A file of host keys, besides ~/.ssh/known_hosts.")
    config: str | None = Field(default=None, description="A file instead of ~/.ssh/config.")

    @property
    def reached(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"ssh {user}{host}" + (f":{self.port}" if self.port else "")


class Adb(Frozen):
    """An Android phone: a serial, or host:port for ADB over Wi-Fi; `server` for an adb server elsewhere."""

    transport: Literal["adb"] = Field(default="adb", description="An Android phone over ADB.")
    serial: str = Field(min_length=1, description="As `adb devices` shows it, or host:port for ADB over Wi-Fi.")
    server: str | None = Field(default=None, description="host:port of an adb server elsewhere. [this machine's]")

    @property
    def reached(self) -> str:
        return f"adb {self.serial}" + (f" via {self.server}" if self.server else "")


Address = Annotated[Local | Ssh | Adb, Field(discriminator="transport")]

FROM_FILE = "a path on this host, from the folder of the device's file"  # marks keys that are one
ON_HOST = "host:"  # how the place of a library begins that is put on the device
RunnerKind = str  # the name of a runtime's tool
Capabilities = Literal["tflite", "litert"]


class ToolChoice(Frozen):
    """Which of Google's prebuilt benchmark_model binaries: the classic tool, or LiteRT's CompiledModel one."""

    generation: Capabilities = Field(
        default="tflite", description="TFLite's classic tool, or \"litert\" for LiteRT's CompiledModel one."
    )
    version: str = Field(
        default="latest",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description='A release ("2.2.0"), or "nightly".',
    )


class Device(Frozen):
    """One device of the inventory: its name, and what its file says about it."""

    name: str = Field(description="The file's name without .toml: leave the key out.")
    address: Address = Field(description="How the device is reached.")
    workdir: str | None = Field(
        default=None,
        description="Where benchbench works on the device: absolute, or from the user's home there. "
        "[/data/local/tmp/benchbench on phones, else ~/.cache/benchbench/device]",
    )
    runner: Literal["benchmark_model", "python"] | None = Field(
        default=None,
        description="What measures, where both can. [benchmark_model where there is one]",
    )
    binary: Annotated[str | None, FROM_FILE] = Field(
        default=None, description="A benchmark_model for the device: a path on this host, from the file's folder."
    )
    onnxruntime_perf_test: Annotated[str | None, FROM_FILE] = Field(
        default=None,
        description="An onnxruntime_perf_test for the device, which measures .onnx models there in place of Python: a "
        "path on this host, from the file's folder.",
    )
    tool: ToolChoice | None = Field(default=None, description="Which of Google's binaries to use. [as the matrix says]")
    python: str | None = Field(
        default=None, description="A Python on the device that has ai-edge-litert or tflite-runtime. [found by itself]"
    )
    env: dict[str, str] = Field(
        default_factory=dict, description="Environment of the measuring process, such as VK_ICD_FILENAMES."
    )
    libraries: dict[str, str] = Field(
        default_factory=dict,
        description="Where shared libraries of delegates are, by kind or by what case ids call them: on the device, or "
        '"host:PATH" on this host, from the file\'s folder, to be put there (of hexagon and npu their folder).',
    )
    source: str = Field(default="", exclude=True)  # the file it came from; "" = discovered

    @field_validator("workdir")
    @classmethod
    def _no_dots(cls, value: str | None) -> str | None:
        if value is not None and (".." in PurePosixPath(value).parts or value.strip() in {"", "/", "~", "~/"}):
            raise ValueError("must be a folder of its own, without '..'")
        return value

    def at_home(self, home: str | None) -> Device:
        """The same with every path on the device written out that begins with `~`, which no shell will read there."""
        return self.model_copy(
            update={
                "python": self.python and under(home, self.python),
                "env": {key: under(home, value) for key, value in self.env.items()},
                "libraries": {kind: under(home, path) for kind, path in self.libraries.items()},
            }
        )


def under(home: str | None, path: str) -> str:
    """A path on a device with `~` written out."""
    return f"{home.rstrip('/')}{path[1:]}" if home and (path == "~" or path.startswith("~/")) else path


class Cluster(Frozen):
    """Cores that share a maximum frequency, slowest cluster first; `cores` are kernel numbers."""

    cores: tuple[int, ...]
    max_mhz: float | None


class Traits(Frozen):
    """What a probe found out about a device; None where the device does not say."""

    os: Literal["android", "linux", "macos"]
    os_version: str | None = None
    sdk: int | None = None  # Android API level
    abi: str  # arm64-v8a, armeabi-v7a, x86_64, aarch64, armv7l …, as the device prints it
    soc: str | None = None
    model: str | None = None
    clusters: tuple[Cluster, ...] = ()
    memory_mb: float | None = None
    python: str | None = None  # path of a usable interpreter
    environment: str | None = None  # path of the interpreter that `devices --equip` made
    home: str | None = None  # of the user there
    python_version: str | None = None
    runtime: str | None = None  # "ai-edge-litert 2.3.0", …: what that interpreter can import
    accelerators: tuple[str, ...] = ()  # "gpu", "npu" (LiteRT accelerator libraries), "edgetpu", "opencl", …
    boot_id: str | None = None

    @property
    def cores(self) -> int:
        return sum(len(cluster.cores) for cluster in self.clusters)

    @property
    def arch(self) -> str:
        """The ABI in one spelling: arm64, arm, x86_64, x86 …"""
        spellings = {"arm64-v8a": "arm64", "aarch64": "arm64", "armeabi-v7a": "arm", "armv7l": "arm", "amd64": "x86_64"}
        return spellings.get(self.abi, self.abi)
