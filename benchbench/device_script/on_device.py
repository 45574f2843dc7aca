"""Measure one .tflite model, here, in this process: the script that travels to the device.

    python on_device.py request.json answer.json     one launch; always leaves an answer, also when it fails
    python on_device.py --probe                      one JSON line about this interpreter and what it can reach

One file, Python >= 3.7, numpy and whichever of ai_edge_litert, tflite_runtime, tensorflow is installed. It is run in a
folder of its own, where it also leaves `stage.txt` (what it was doing: a model can kill the process) and `native.log`
(what the native libraries wrote to stderr: the only place where accelerators say what they took).

Times are nanoseconds, memory is 2**20 bytes. Two ways in: "interpreter" (CPU kernels, XNNPACK, external delegates) and
"compiled_model" (LiteRT's GPU and NPU). The clock is around `invoke` in the first and around run *and* the reading of
every output in the second, because accelerators only enqueue the work in run.
"""

import collections
import ctypes
import functools
import gc
import glob
import json
import os
import re
import sys
import time

import numpy as np

FORMAT = 1
BUILTIN_DELEGATE = 51  # BuiltinOperator_DELEGATE
XNNPACK = "TfLiteXNNPackDelegate"
NATIVE_LOG = "native.log"
STAGE_FILE = "stage.txt"
NOT_ALL = "Some ops are not accelerated"
TEXT = b"benchbench"  # what string inputs are fed with


class Unusable(Exception):
    """What was asked for did not take the graph; no number may be given for it."""

    def __init__(self, verdict, evidence):
        Exception.__init__(self, evidence)
        self.verdict = verdict


# ------------------------------------------------------------------------------------------------ the context of a launch


def main(argv):
    if argv[1:] == ["--probe"]:
        print(json.dumps(probe(), sort_keys=True))
        return 0
    if len(argv) not in (3, 4):
        sys.stderr.write("usage: on_device.py request.json answer.json | --probe\n")
        return 2
    answer = {"format": FORMAT, "status": "failed", "delegation": {"verdict": "unknown"}}
    launch = Launch(answer, argv[2], with_cpu=argv[3:] == ["--with-cpu"])
    restore = redirect_stderr(NATIVE_LOG)
    try:
        with open(argv[1]) as file:
            request = json.load(file)
        launch.run(request)
        answer["status"] = "ok"
    except CpuToo:
        restore()
        # Afresh, so that the failed attempt is neither in the memory nor in the initialisation of the second.
        os.execv(sys.executable, [sys.executable] + argv[:3] + ["--with-cpu"])
    except Exception as error:
        launch.explain(error)
    finally:
        restore()
    write_json(argv[2], answer)
    return 0 if answer["status"] == "ok" else 1


class CpuToo(Exception):
    """The accelerator cannot take the whole graph: start again with the CPU for the rest."""


class Launch(object):
    """One launch: fills the answer stage by stage, so that a failure still leaves what was known before it."""

    def __init__(self, answer, path, with_cpu):
        self.answer = answer
        self.path = path
        self.with_cpu = with_cpu
        self.stage = "request"
        self.engine = None

    def at(self, stage):
        self.stage = stage
        with open(STAGE_FILE, "w") as file:
            file.write(stage)

    def run(self, request):
        answer, delegate = self.answer, request["delegate"]
        answer["delegation"]["asked"] = request["asked"]
        self.at("import")
        began = time.perf_counter_ns()
        runtime = Runtime()
        way = {"interpreter": Classic, "compiled_model": Compiled}[delegate["way"]]
        engine = way(runtime, request, self.with_cpu)
        answer.update(
            runtime=runtime.label,
            api=engine.api,
            timed=engine.timed,
            python=sys.version.split()[0],
            numpy=np.__version__,
            threads=request["threads"],
            cpus=allowed_cpus(),
        )
        phases = answer["phases_ns"] = {"import": time.perf_counter_ns() - began}
        memory = answer["memory"] = {"peak_since": "load" if reset_peak() else "process start"}
        memory["rss_start_mb"] = resident("VmRSS")

        for stage, step in engine.steps():
            self.at(stage)
            began = time.perf_counter_ns()
            step()
            phases[stage] = time.perf_counter_ns() - began
        self.engine = engine
        memory["rss_loaded_mb"] = resident("VmRSS")

        if request.get("evaluate"):
            self.at("evaluate")
            evaluate(engine, request["evaluate"], answer)
        elif request.get("profile"):
            self.at("profile")
            answer["profile"] = profile(runtime, request, engine)
        else:
            first = self.measure(engine, request)
        memory["rss_end_mb"] = resident("VmRSS")
        memory["rss_peak_mb"] = resident("VmHWM") or peak_by_rusage()
        memory["pss_end_mb"] = proportional()

        # Looking comes after timing: it must not touch what is timed. What is timed is written before it.
        self.save("the process ended while this was being read")
        try:
            self.at("delegation")
            answer["delegation"].update(engine.delegation())
            answer["ops"] = engine.ops()
            answer["inputs"] = [describe(detail) for detail in engine.inputs]
            answer["outputs"] = [describe(detail) for detail in engine.outputs]
        except (Unusable, CpuToo):
            raise
        except Exception as error:
            answer["delegation"].setdefault("evidence", "could not be read: %s" % first_line(error))
        if request.get("fidelity") and "steady_ns" in answer and not request.get("evaluate"):
            self.save()
            self.at("fidelity")
            answer["fidelity"] = fidelity(runtime, request, engine, first)

    def save(self, evidence=None):
        """Write what is known by now: whatever crashes from here on, it is a measurement that is done."""
        delegation = dict(self.answer["delegation"], **({"evidence": evidence} if evidence else {}))
        write_json(self.path, dict(self.answer, status="ok", delegation=delegation))

    def measure(self, engine, request):
        """First inference, warm-up, steady state; returns what was fed and the outputs of the first inference."""
        answer = self.answer
        self.at("inputs")
        fed = (
            given(request["inputs"])
            if request.get("inputs")
            else random_inputs(engine.inputs, request["input_seed"], request.get("ranges"))
        )
        engine.feed(fed)
        self.at("first inference")
        first_ns = timed(engine.step)
        outputs = engine.results()
        self.at("warm-up")
        gc.collect()
        gc.disable()
        limit = request["max_seconds"]
        warmup, _ = repeat(engine.step, request["warmup_runs"] - 1, request["warmup_min_seconds"], limit, first_ns)
        self.at("steady state")
        steady, stopped = repeat(engine.step, request["runs"], request["min_seconds"], limit)
        gc.enable()
        answer.update(first_ns=first_ns, warmup_ns=[first_ns] + warmup, steady_ns=steady, stopped_by=stopped)
        return fed, outputs

    def explain(self, error):
        """Put a failure into the answer; where the graph was built, say also who had taken what."""
        answer = self.answer
        answer["error"] = {"stage": self.stage, "type": type(error).__name__, "message": str(error).strip()}
        delegation = answer["delegation"]
        if isinstance(error, Unusable):
            delegation.update(verdict=error.verdict, evidence=str(error))
        elif self.engine is not None and self.stage != "delegation":
            try:
                delegation.update(self.engine.delegation())
            except Exception as second:
                delegation["evidence"] = "could not be read after the failure: %s" % second


def timed(step):
    began = time.perf_counter_ns()
    step()
    return time.perf_counter_ns() - began


def repeat(step, runs, min_seconds, max_seconds, spent_ns=0):
    """Run `step` until both `runs` and `min_seconds` are reached, or `max_seconds`; the times, and what stopped it."""
    clock, samples = time.perf_counter_ns, []
    least, most = int(min_seconds * 1e9), int(max_seconds * 1e9)
    elapsed, started = spent_ns, clock()
    while len(samples) < runs or elapsed < least:
        if elapsed >= most and (samples or spent_ns):
            return samples, "max_seconds"
        began = clock()
        step()
        ended = clock()
        samples.append(ended - began)
        elapsed = spent_ns + ended - started
    return samples, "runs and min_seconds"


# ------------------------------------------------------------------------------------------------------- the two ways in


class Runtime(object):
    """The first of ai_edge_litert, tflite_runtime, tensorflow that can be imported."""

    MODULES = (
        ("ai_edge_litert", "ai-edge-litert", "ai_edge_litert.interpreter"),
        ("tflite_runtime", "tflite-runtime", "tflite_runtime.interpreter"),
        ("tensorflow", "tensorflow", "tensorflow.lite.python.interpreter"),
    )

    def __init__(self):
        self.refused = {}
        for package, distribution, module in self.MODULES:
            try:
                self.interpreter = __import__(module, fromlist=["Interpreter"])
                self.package = sys.modules[package]
            except Exception as error:  # a runtime built for another numpy raises AttributeError or SystemError
                self.refused[distribution] = "%s: %s" % (type(error).__name__, first_line(error))
                continue
            self.folder = os.path.dirname(os.path.abspath(self.package.__file__))
            self.label = "%s %s" % (distribution, getattr(self.package, "__version__", None) or version(distribution))
            return
        reasons = "; ".join("%s: %s" % item for item in sorted(self.refused.items()))
        raise ImportError("no TFLite runtime can be imported (pip install ai-edge-litert): " + reasons)

    def plain(self, model, threads=None, xnnpack=True, delegates=None):
        """A classic interpreter; raises what the runtime raises."""
        arguments = {"model_path": model}
        if threads:
            arguments["num_threads"] = threads
        if delegates:
            arguments["experimental_delegates"] = delegates
        resolver = getattr(self.interpreter, "OpResolverType", None)
        if not xnnpack and resolver is not None:  # runtimes before 2.5 have no such switch, and no XNNPACK
            arguments["experimental_op_resolver_type"] = resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        return self.interpreter.Interpreter(**arguments)


class Entry(object):
    """The graph of an interpreter that is run: its main one, or that of a signature, with its arguments by name.

    The runtime's own runner of a signature also resizes, allocates and copies each time, which must not be timed.
    """

    def __init__(self, interpreter, signature):
        self.interpreter = interpreter
        self.signature = signature
        self.graph = 0
        if signature:
            if not hasattr(self.raw, "GetSubgraphIndexFromSignature"):
                raise NotImplementedError("this runtime cannot run a signature: it needs TensorFlow 2.7 or later")
            self.graph = self.raw.GetSubgraphIndexFromSignature(signature["key"])

    @property
    def raw(self):
        """Not to be kept: the interpreter counts who holds it."""
        return self.interpreter._interpreter

    def details(self, side):
        if not self.signature:
            return getattr(self.interpreter, "get_%s_details" % side)()
        known = self.interpreter._get_full_signature_list()[self.signature["key"]][side + "s"]
        names = self.signature[side + "s"]
        return [dict(self.interpreter._get_tensor_details(known[name], self.graph), name=name) for name in names]

    def resize(self, index, shape):
        if self.signature:
            self.raw.ResizeInputTensor(index, np.array(shape, dtype=np.int32), False, self.graph)
        else:
            self.interpreter.resize_tensor_input(index, shape)

    def allocate(self):
        if not self.signature or not self.graph:
            return self.interpreter.allocate_tensors()
        try:
            self.interpreter.allocate_tensors()  # this is what puts the delegates into all graphs
        except RuntimeError:
            pass  # of the main graph, which is not run
        self.raw.AllocateTensors(self.graph)

    def set(self, index, array):
        if self.signature:
            self.raw.SetTensor(index, array, self.graph)
        else:
            self.interpreter.set_tensor(index, array)

    def get(self, index):
        return self.raw.GetTensor(index, self.graph) if self.signature else self.interpreter.get_tensor(index)

    def step(self):
        """What is timed."""
        return functools.partial(self.raw.Invoke, self.graph) if self.signature else self.interpreter.invoke


class Classic(object):
    """The interpreter: the runtime's own kernels, XNNPACK, external delegates."""

    api = "Interpreter"
    timed = "invoke"

    def __init__(self, runtime, request, with_cpu):
        self.runtime = runtime
        self.request = request
        self.asked = request["delegate"]
        self.external = None
        self.interpreter = None

    def steps(self):
        if self.asked.get("library"):
            yield "delegate", self.load_delegate
        yield "load", self.load
        yield "allocate", self.allocate

    def load_delegate(self):
        library, options = self.asked["library"], self.asked.get("options") or {}
        try:
            self.external = self.runtime.interpreter.load_delegate(library, options)
        except (OSError, ValueError, AttributeError) as error:  # missing; refused to be made; not a delegate
            said = " ".join(str(error).split())
            if isinstance(error, ValueError) and said.endswith(library):
                said += ": it gave no reason; is its device there?"
            raise Unusable("unavailable", said)

    def load(self):
        request, delegates = self.request, [self.external] if self.external else None
        xnnpack = self.asked["xnnpack"]
        try:
            self.interpreter = self.runtime.plain(request["model"], request["threads"], xnnpack, delegates)
        except Exception as error:
            if delegates and self.loads_without():
                raise Unusable("unavailable", " ".join(str(error).split()))
            raise

    def loads_without(self):
        try:
            self.runtime.plain(self.request["model"])
        except Exception:
            return False
        return True

    def allocate(self):
        self.entry = Entry(self.interpreter, self.request.get("signature"))
        details = self.entry.details("input")
        self.own_shapes = [[int(size) for size in detail["shape"]] for detail in details]
        for detail, shape in zip(details, self.request.get("shapes") or []):
            if list(detail["shape"]) != list(shape):
                self.entry.resize(detail["index"], shape)
        try:
            self.entry.allocate()
        except RuntimeError as error:
            failed = failed_node(str(error))
            nodes = len([op for op in self.interpreter._get_ops_details() if op["op_name"] != "DELEGATE"])
            if self.external and failed is not None and failed >= nodes:  # a node that the delegate put in
                raise Unusable("unavailable", " ".join(str(error).split()))
            if self.external and "unresolved custom op" in str(error):
                raise Unusable("none", "the delegate left it alone: " + " ".join(str(error).split()))
            raise
        self.inputs = [tensor(detail) for detail in self.entry.details("input")]
        self.outputs = [tensor(detail) for detail in self.entry.details("output")]
        self.step = self.entry.step()

    def feed(self, arrays):
        for detail, array in zip(self.inputs, matched(arrays, self.inputs)):
            self.entry.set(detail["index"], array)

    def results(self):
        return [self.entry.get(detail["index"]) for detail in self.outputs]

    def forget(self, state):
        """Reset what the model keeps from one inference to the next; resource variables end with their interpreter."""
        if state == "resources":
            rebuild(self)
        else:
            self.interpreter.reset_all_variables()

    def quantized(self):
        return self.inputs, self.outputs

    def ops(self):
        return {} if self.entry.graph else count_ops(self.interpreter)  # the runtime lists those of the main graph

    def delegation(self):
        coverage = exact_coverage(self.interpreter, self.entry.graph)
        if coverage is None and self.entry.graph:
            return {"verdict": "unknown", "evidence": "nothing tells who took which nodes of this signature"}
        coverage = coverage or data_flow_coverage(self.interpreter)
        wanted = "external" if self.external else "xnnpack" if self.asked["xnnpack"] else None
        return verdict_of(coverage, wanted)


class Compiled(object):
    """LiteRT's CompiledModel on its GPU or NPU; first alone (success means that it took everything), then with the CPU."""

    api = "CompiledModel"
    timed = "run+read"
    BYTES = ("int8", "uint8", "int32", "float16", "float32", "bool")  # what TensorBuffer can read as itself

    def __init__(self, runtime, request, with_cpu):
        self.runtime = runtime
        self.request = request
        self.asked = request["delegate"]
        self.with_cpu = with_cpu
        try:
            self.lib = __import__("ai_edge_litert.compiled_model", fromlist=["CompiledModel"])
            self.lib.Options
        except (ImportError, AttributeError):
            raise Unusable("unavailable", "CompiledModel needs ai-edge-litert >= 2.3; here is " + runtime.label)

    def steps(self):
        yield "load", self.compile
        yield "allocate", self.allocate

    def options(self):
        lib, asked = self.lib, self.asked
        accelerator = getattr(lib.HardwareAccelerator, asked["accelerator"].upper())
        if self.with_cpu:
            accelerator |= lib.HardwareAccelerator.CPU
        options = lib.Options(hardware_accelerators=accelerator)
        options.cpu_options.num_threads = self.request["threads"]
        if asked["accelerator"] == "gpu":
            options.gpu_options.enforce_f32 = bool(asked.get("fp32"))
        elif asked.get("vendor") == "intel":
            module = __import__("ai_edge_litert.options", fromlist=["IntelOpenVinoGraphBackend"])
            if asked.get("backend"):
                backend = getattr(module.IntelOpenVinoGraphBackend, asked["backend"].upper())
                options.intel_openvino_options.graph_backend = backend
            options.intel_openvino_options.performance_mode = module.IntelOpenVinoPerformanceMode.LATENCY
        return options

    def compile(self):
        try:
            self.model = self.lib.CompiledModel.from_file(self.request["model"], options=self.options())
        except Exception as error:
            if NOT_ALL in str(error) and not self.with_cpu:
                raise CpuToo()
            if not self.model_is_sound():
                raise
            raise Unusable("unavailable", native_reason(self.asked["accelerator"]) or " ".join(str(error).split()))
        if self.with_cpu:
            share = partial_share(self.asked["accelerator"])
            if not share.get("nodes_delegated"):
                raise Unusable(share["verdict"], share["evidence"])
        if self.asked["accelerator"] == "npu":
            self.check_device()
        elif (self.asked.get("backend") or "") not in gpu_library().lower():
            raise Unusable("none", "asked for was %s, used was %s" % (self.asked["backend"], gpu_library()))

    def model_is_sound(self):
        """Whether the CPU could run it, so that the failure is the accelerator's; custom ops are for accelerators."""
        try:
            self.runtime.plain(self.request["model"]).allocate_tensors()
        except Exception as error:
            return "unresolved custom op" in str(error)
        return True

    def check_device(self):
        """OpenVINO names the device that it really uses; another one than asked for is another one's number."""
        used = set(re.findall(r"[Uu]sing (?:Intel OpenVINO )?device:? '?(\w+)", native_text()))
        asked = (self.asked.get("backend") or "npu").upper()
        if used - {asked}:
            evidence = "OpenVINO used its %s device, asked for was %s" % (", ".join(sorted(used - {asked})), asked)
            raise Unusable("none", evidence)

    def allocate(self):
        model = self.model
        chosen = self.request.get("signature")
        self.signature = model.get_signature_index(chosen["key"]) if chosen else 0
        signature = model.get_signature_by_index(self.signature)
        inputs = model.get_input_tensor_details(signature["key"])
        outputs = model.get_output_tensor_details(signature["key"])
        fed, read = (
            chosen and chosen["inputs"] or signature["inputs"],
            chosen and chosen["outputs"] or signature["outputs"],
        )
        self.inputs, self.outputs = [tensor(inputs[name]) for name in fed], [tensor(outputs[name]) for name in read]
        if chosen:  # its arguments are known by their names there, not by those of the tensors
            for details, names in ((self.inputs, fed), (self.outputs, read)):
                for detail, name in zip(details, names):
                    detail["name"] = name
        shapes = [list(detail["shape"]) for detail in self.inputs]
        if (self.request.get("shapes") or shapes) != shapes:
            raise ValueError("CompiledModel takes the model's own input shapes, %s" % shapes)
        self.buffers = model.create_input_buffers(self.signature), model.create_output_buffers(self.signature)
        self.fed = [self.buffers[0][signature["inputs"].index(name)] for name in fed]
        self.read = [self.buffers[1][signature["outputs"].index(name)] for name in read]
        # int16 and int64 have no name in TensorBuffer; their bytes do.
        self.reads = []
        for buffer, detail in zip(self.read, self.outputs):
            size, dtype = int(np.prod(detail["shape"])), detail["dtype"]
            known = dtype.name in self.BYTES
            self.reads.append((buffer, size if known else size * dtype.itemsize, dtype if known else np.dtype("int8")))

    def feed(self, arrays):
        for buffer, detail, array in zip(self.fed, self.inputs, matched(arrays, self.inputs)):
            known = detail["dtype"].name in self.BYTES
            buffer.write(array if known else np.ascontiguousarray(array).reshape(-1).view(np.int8))

    def step(self):
        self.model.run_by_index(self.signature, *self.buffers)
        self.last = [buffer.read(size, dtype) for buffer, size, dtype in self.reads]

    def results(self):
        return [raw.view(d["dtype"]).reshape(d["shape"]) for raw, d in zip(self.last, self.outputs)]

    def forget(self, state):
        if state:  # CompiledModel has no way to reset variables
            rebuild(self)

    def quantized(self):
        """Inputs and outputs with their quantization, which CompiledModel does not tell and the interpreter does."""
        plain = self.runtime.plain(self.request["model"])
        entry = Entry(plain, self.request.get("signature"))
        known = {int(d["index"]): tensor(d) for d in entry.details("input") + entry.details("output")}
        return [known.get(d["index"], d) for d in self.inputs], [known.get(d["index"], d) for d in self.outputs]

    def ops(self):
        try:
            plain = self.runtime.plain(self.request["model"])
            return {} if Entry(plain, self.request.get("signature")).graph else count_ops(plain)
        except Exception:  # a model that was compiled ahead of time for an NPU
            return {}

    def delegation(self):
        accelerator = self.asked["accelerator"]
        if self.with_cpu:
            return dict(partial_share(accelerator), remainder="xnnpack")
        nodes = sum(self.ops().values()) or None
        evidence = full_evidence(accelerator)
        return {
            "verdict": "full",
            "nodes_delegated": nodes,
            "nodes_total": nodes,
            "partitions": 1,
            "evidence": evidence,
        }


def rebuild(engine):
    for _stage, step in engine.steps():
        step()


# ------------------------------------------------------------------------------------------- evidence from the native log


def native_text():
    sys.stderr.flush()
    with open(NATIVE_LOG, "rb") as file:
        return file.read().decode("utf-8", "replace")


def line_with(pattern, text):
    """The last line that matches, without its log prefix."""
    found = [line.strip() for line in text.splitlines() if re.search(pattern, line)]
    return re.sub(r"^(?:[IWE]\d{4} [^\]]*|(?:INFO|WARNING|ERROR): \[[^\]]*)\]\s*", "", found[-1]) if found else None


def gpu_library():
    return line_with(r"Dynamically loaded GPU accelerator", native_text()) or "an unknown GPU library"


def full_evidence(accelerator):
    text = native_text()
    if accelerator == "gpu":
        said = [line_with(r"Selected adapter:|Selected OpenCL", text)]
    else:
        said = [npu_evidence(text)]
    return "; ".join(["compiled for the %s alone" % accelerator.upper()] + [line for line in said if line])


def npu_evidence(text):
    patterns = (r"Partitioned subgraph<0>", r"plugins were applied", r"Using Intel OpenVINO device")
    return "; ".join(line for line in (line_with(pattern, text) for pattern in patterns) if line)


def partial_share(accelerator):
    """What of the graph an accelerator took beside the CPU, by the only lines that tell; nothing found = nothing taken."""
    text = native_text()
    if accelerator == "gpu":
        line = line_with(r"operations will run on the (GPU|CPU)", text) or ""
        found = re.search(r"(\d{1,9}) operations will run on the GPU, and the remaining (\d{1,9})", line)
        taken, rest = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
        if taken:
            adapter = line_with(r"Selected adapter:", text)
            evidence = "; ".join([part for part in (line, adapter) if part])
            return {"verdict": "partial", "nodes_delegated": taken, "nodes_total": taken + rest, "evidence": evidence}
        return {"verdict": "none", "evidence": line or "no line says that the GPU took anything"}
    applied = re.search(r"(\d{1,9}) compiler plugins? (?:was|were) applied", text)
    parted = re.search(
        r"Partitioned subgraph<0>, selected (\d{1,9}) ops, from a total of (\d{1,9}) ops. resulted in (\d{1,9}) partitions",
        text,
    )
    reason = native_reason("npu")
    if applied and int(applied.group(1)) and parted and int(parted.group(1)):
        taken, total, partitions = (int(group) for group in parted.groups())
        return {
            "verdict": "partial",
            "nodes_delegated": taken,
            "nodes_total": total,
            "partitions": partitions,
            "evidence": npu_evidence(text),
        }
    if reason:
        # From Python only the first partition gets the backend that was asked for; the line tells when there are more.
        said = [reason] + ([parted.group(0)] if parted else [])
        return {"verdict": "unavailable", "evidence": "; ".join(said)}
    return {"verdict": "none", "evidence": "no line says that the NPU took anything"}


def native_reason(accelerator):
    """The line that tells best why an accelerator cannot be used."""
    text = native_text()
    patterns = {
        "gpu": (r"No adapters found", r"Couldn't load Vulkan", r"vkCreateInstance", r"^ERROR"),
        "npu": (
            r"Cannot load library",
            r"Could not load shared library",
            r"No compiler plugin found",
            r"Failed to compile|Failed to apply",
        ),
    }
    for pattern in patterns[accelerator]:
        line = line_with(pattern, text)
        if line:
            why = line_with(r"vkCreateInstance: |Couldn't load Vulkan|Vulkan \S+ required", text)
            return line if not why or why == line else "%s (%s)" % (line, why)
    return None


# ------------------------------------------------------------------------------------------------ who took which nodes


class Node(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("inputs", "outputs", "intermediates", "temporaries", "user_data", "builtin_data")
    ]


class Registration(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("init", "free", "prepare", "invoke", "profiling_string")] + [
        ("builtin_code", ctypes.c_int32),
        ("custom_name", ctypes.c_char_p),
    ]


class Context(ctypes.Structure):
    _fields_ = [("tensors_size", ctypes.c_size_t)] + [
        (name, ctypes.c_void_p)
        for name in (
            "GetExecutionPlan",
            "tensors",
            "impl",
            "ResizeTensor",
            "ReportError",
            "AddTensors",
            "GetNodeAndRegistration",
        )
    ]


class Replaced(ctypes.Structure):
    """TfLiteDelegateParams, up to what is read."""

    _fields_ = [("delegate", ctypes.c_void_p), ("nodes", ctypes.c_void_p)]


PREPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
GET_PLAN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
GET_NODE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Node)),
    ctypes.POINTER(ctypes.POINTER(Registration)),
)


class Onlooker(ctypes.Structure):
    """A TfLiteDelegate that claims nothing."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("Prepare", PREPARE),
        ("CopyFromBufferHandle", ctypes.c_void_p),
        ("CopyToBufferHandle", ctypes.c_void_p),
        ("FreeBufferHandle", ctypes.c_void_p),
        ("flags", ctypes.c_int64),
        ("opaque_delegate_builder", ctypes.c_void_p),
    ]


_kept = []  # an onlooker must outlive its interpreter


def int_array(address):
    if not address:
        return []
    size = ctypes.c_int.from_address(address).value
    return list((ctypes.c_int * size).from_address(address + ctypes.sizeof(ctypes.c_int))) if size > 0 else []


def read_plan(context_address):
    """The execution plan of a subgraph: (node, delegate's name or None, the nodes that it replaced)."""
    context = Context.from_address(context_address)
    plan = ctypes.c_void_p()
    if GET_PLAN(context.GetExecutionPlan)(context_address, ctypes.byref(plan)):
        raise RuntimeError("GetExecutionPlan failed")
    entries = []
    for index in int_array(plan.value):
        node, registration = ctypes.POINTER(Node)(), ctypes.POINTER(Registration)()
        if GET_NODE(context.GetNodeAndRegistration)(
            context_address, index, ctypes.byref(node), ctypes.byref(registration)
        ):
            raise RuntimeError("GetNodeAndRegistration failed")
        if registration.contents.builtin_code == BUILTIN_DELEGATE and node.contents.builtin_data:
            replaced = int_array(Replaced.from_address(node.contents.builtin_data).nodes)
            name = (registration.contents.custom_name or b"a delegate without a name").decode("utf-8", "replace")
            entries.append((index, name, replaced))
        else:
            entries.append((index, None, []))
    return entries


def exact_coverage(interpreter, graph=0):
    """Who took which nodes of a subgraph, asked of the runtime itself by a delegate that only looks.

    The C ABI of TfLiteDelegate has been the same since TensorFlow 2.4; 64 bit only, as the structs were checked there.
    """
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    plans, errors = [], []

    def prepare(context, _delegate):  # called once per subgraph, the primary one first
        try:
            plans.append(read_plan(context))
        except Exception as error:
            errors.append(error)
            return 1
        return 0

    callback = PREPARE(prepare)
    onlooker = Onlooker(None, callback, None, None, None, 1, None)  # 1: dynamic tensors are no reason to refuse
    _kept.append((callback, onlooker))
    try:
        interpreter._interpreter.ModifyGraphWithDelegate(ctypes.addressof(onlooker))
    except Exception as error:
        errors.append(error)
    if errors or len(plans) <= graph:
        return None
    partitions = [(name, replaced) for _, name, replaced in plans[graph] if name]
    left = [index for index, name, _ in plans[graph] if not name]
    total = len(left) + sum(len(replaced) for _, replaced in partitions)
    return {"partitions": partitions, "left": left, "total": total, "how": "execution plan"}


def data_flow_coverage(interpreter):
    """The same, from the graph alone: what lies between a delegate node's inputs and outputs. May count too few."""
    ops = interpreter._get_ops_details()
    delegates = [op for op in ops if op["op_name"] == "DELEGATE"]
    originals = {op["index"]: op for op in ops if op["op_name"] != "DELEGATE"}
    producer = {int(t): op["index"] for op in originals.values() for t in op["outputs"]}
    partitions, taken = [], set()
    for op in delegates:
        stop, todo, seen = set(int(t) for t in op["inputs"]), [int(t) for t in op["outputs"]], set()
        while todo:
            node = producer.get(todo.pop())
            if node is None or node in seen:
                continue
            seen.add(node)
            todo += [int(t) for t in originals[node]["inputs"] if t >= 0 and int(t) not in stop]
        taken |= seen
        partitions.append((None, sorted(seen)))
    left = sorted(set(originals) - taken)
    return {"partitions": partitions, "left": left, "total": len(originals), "how": "data flow"}


def verdict_of(coverage, wanted):
    """The verdict for what was wanted: "xnnpack", "external" or None (the interpreter's own kernels)."""
    shares = collections.OrderedDict()
    for name, nodes in coverage["partitions"]:
        shares[name] = shares.get(name, 0) + len(nodes)
    said = ["%s: %d" % (name or "a delegate", count) for name, count in shares.items()]
    said.append("left to the interpreter: %d" % len(coverage["left"]))
    known = (
        None not in shares or wanted != "external"
    )  # without names, an external's share is not to be told from XNNPACK's
    mine = [
        (name, nodes)
        for name, nodes in coverage["partitions"]
        if wanted and (name is None or (name == XNNPACK) == (wanted == "xnnpack"))
    ]
    taken, total = sum(len(nodes) for _, nodes in mine), coverage["total"]
    rest_on_xnnpack = wanted == "external" and XNNPACK in shares
    answer = {
        "evidence": "%s of %d nodes (%s)" % ("; ".join(said), total, coverage["how"]),
        "nodes_total": total,
        "remainder": "xnnpack" if rest_on_xnnpack else "cpu",
        "shares": [{"delegate": name, "nodes": nodes} for name, nodes in coverage["partitions"]],
        "left": coverage["left"],
    }
    if wanted is None:
        if shares:
            raise Unusable("none", "a delegate took nodes although none was asked for: " + answer["evidence"])
        return dict(answer, verdict="full", nodes_delegated=0, partitions=0)
    verdict = "unknown" if not known else "full" if taken == total else "partial" if taken else "none"
    return dict(answer, verdict=verdict, nodes_delegated=taken, partitions=len(mine))


def count_ops(interpreter):
    return dict(
        collections.Counter(op["op_name"] for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE")
    )


# ----------------------------------------------------------------------------------------------------- tensors, in and out


def tensor(detail):
    """One spelling for the details of both ways; scale 0 = not quantized."""
    scale, zero_point = detail.get("quantization") or (0.0, 0)
    return {
        "name": str(detail["name"]),
        "index": int(detail["index"]),
        "shape": [int(size) for size in detail["shape"]],
        "dtype": np.dtype(detail["dtype"]),
        "scale": float(scale),
        "zero_point": int(zero_point),
    }


def describe(detail):
    return dict(detail, dtype=detail["dtype"].name)


def matched(arrays, details):
    """The arrays as the inputs want them; raises ValueError for a wrong number, shape or type."""
    if len(arrays) != len(details):
        raise ValueError("the model has %d inputs, given are %d arrays" % (len(details), len(arrays)))
    for array, detail in zip(arrays, details):
        alike = array.dtype == detail["dtype"] or array.dtype.kind == "O" and detail["dtype"].kind in "SO"
        if not alike or list(array.shape) != detail["shape"]:
            wanted = "%s %s" % (detail["dtype"].name, detail["shape"])
            raise ValueError(
                "input %r wants %s, given is %s %s" % (detail["name"], wanted, array.dtype, list(array.shape))
            )
    return arrays


def given(path):
    """The arrays of an .npz, in order: one per input, as they are."""
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]


def random_inputs(details, seed, asked=None):
    """Uniform random values in the ranges of benchmark_model, so that both tools feed alike; `asked` ones go before.

    float: [-0.5, 0.5); uint8: 0..254; int8: -127..127; int16: -32767..32767; other integers: 0..99; bool: both; a
    string is always the same text.
    RandomState, because its stream is the same in every numpy.
    """
    random = np.random.RandomState(seed)
    ranges = {"uint8": (0, 255), "int8": (-127, 128), "int16": (-32767, 32768), "bool": (0, 2)}
    arrays = []
    for k, detail in enumerate(details):
        dtype, shape = detail["dtype"], detail["shape"]
        limits = asked[k] if asked and asked[k] else None
        if dtype.kind == "f":
            low, high = limits or (-0.5, 0.5)
            arrays.append(np.asarray(random.uniform(low, high, shape), dtype=dtype))
        elif dtype.kind in "iub":
            low, high = (limits[0], limits[1] + 1) if limits else ranges.get(dtype.name, (0, 100))
            arrays.append(np.asarray(random.randint(low, high, shape), dtype=dtype))
        elif dtype.kind in "SO":
            arrays.append(np.full(shape, TEXT, dtype=object))
        else:
            raise ValueError("input %r is %s: give the inputs in an .npz" % (detail["name"], dtype.name))
    return arrays


def to_input(samples, detail, preprocess):
    """Real values (x * scale - mean) / std, then the input's own quantization; samples of the input's type go in raw."""
    if preprocess is None and samples.dtype == detail["dtype"]:
        return samples
    if preprocess is None and not detail["scale"] and {samples.dtype.kind, detail["dtype"].kind} <= set("iub"):
        return samples.astype(detail["dtype"])
    how = preprocess or {}
    real = samples.astype(np.float32) * np.float32(how.get("scale", 1.0))
    real = (real - np.asarray(how.get("mean", 0.0), np.float32)) / np.asarray(how.get("std", 1.0), np.float32)
    dtype = detail["dtype"]
    if dtype.kind == "f":
        return real.astype(dtype)
    if not detail["scale"]:
        raise ValueError("input %r is %s without a scale: give samples of that type" % (detail["name"], dtype.name))
    limits = np.iinfo(dtype)
    return np.clip(np.round(real / detail["scale"]) + detail["zero_point"], limits.min, limits.max).astype(dtype)


def shaped(array, detail):
    """Samples of the right size in the input's own shape, which may have further axes of length one."""
    if array.size != int(np.prod(detail["shape"])):
        raise ValueError(
            "input %r wants %s, a batch of samples is %s" % (detail["name"], detail["shape"], list(array.shape))
        )
    return array.reshape(detail["shape"])


def evaluate(engine, asked, answer):
    """Run samples of an .npz (first axis = samples) through the timed path; raw outputs go to another .npz.

    All of them, or as many as the time allows: one batch at least.

    Outputs: `output_0`, `output_1`, … with samples first, in the model's own type; `scale_0`, `zero_point_0`, …; `names`.
    A model with a batch of its own gets its samples batch by batch, the last one filled up with repeats; one without an
    axis of samples gets one whole set of inputs after the other. What a model keeps is reset before each inference.
    """
    inputs, outputs = engine.quantized()
    start, count = asked.get("start") or 0, asked.get("count")
    with np.load(asked["inputs"], allow_pickle=False) as archive:
        names = archive.files[: len(inputs)]
        samples = [archive[name][start : None if count is None else start + count] for name in names]
    total = len(samples[0]) if samples else 0
    if not total:
        raise ValueError("%s holds no samples from number %d on" % (asked["inputs"], start))
    whole = bool(asked.get("whole"))  # a sample is one whole set of inputs
    batch = 1 if whole or not inputs[0]["shape"] else inputs[0]["shape"][0]
    results, took, done, began = [[] for _ in outputs], [], 0, time.perf_counter()
    for low in range(0, total, batch):
        chosen = np.minimum(np.arange(low, low + batch), total - 1)
        how = asked.get("preprocess")
        fed = [shaped(to_input(array[chosen], detail, how), detail) for array, detail in zip(samples, inputs)]
        if done or asked.get("state") != "resources":  # the first sample has a new interpreter anyway
            engine.forget(asked.get("state"))
        engine.feed(fed)
        took.append(timed(engine.step))
        for kept, output in zip(results, engine.results()):
            kept.append(np.array(output))
        done = min(low + batch, total)
        if asked.get("at_most_seconds") and time.perf_counter() - began >= asked["at_most_seconds"]:
            break
    arrays = {"names": np.array([d["name"] for d in outputs])}
    for index, (kept, detail) in enumerate(zip(results, outputs)):
        joined = not whole and kept[0].shape[:1] == (batch,)
        arrays["output_%d" % index] = np.concatenate(kept)[:done] if joined else np.stack(kept)
        arrays["scale_%d" % index] = np.float64(detail["scale"])
        arrays["zero_point_%d" % index] = np.int64(detail["zero_point"])
    with open(asked["outputs"] + ".part", "wb") as file:
        np.savez(file, **arrays)
    os.replace(asked["outputs"] + ".part", asked["outputs"])
    stopped_by = "samples" if done == total else "seconds"
    answer.update(
        evaluated=done, first_ns=took[0], warmup_ns=took[:1], steady_ns=took[1:] or took, stopped_by=stopped_by
    )


def real_values(array, detail):
    array = np.asarray(array, dtype=np.float64)
    return (array - detail["zero_point"]) * detail["scale"] if detail["scale"] else array


def fidelity(runtime, request, engine, first):
    """The relative L2 error of each output of the first inference against this CPU's; None = not a number."""
    fed, outputs = first
    cpu = Classic(runtime, dict(request, delegate={"way": "interpreter", "xnnpack": True}), False)
    try:
        cpu.load()
        cpu.allocate()
        by_index = dict(zip((d["index"] for d in engine.inputs), fed))
        cpu.feed([by_index[d["index"]] for d in cpu.inputs])
        cpu.step()
    except Exception as error:
        return {"reference": None, "why": "the CPU cannot run it: " + first_line(error)}
    expected = {d["index"]: (d, array) for d, array in zip(cpu.outputs, cpu.results())}
    errors = {}
    for detail, output in zip(engine.outputs, outputs):
        known, reference = expected[detail["index"]]
        reference, output = real_values(reference, known).ravel(), real_values(output, known).ravel()
        error = np.linalg.norm(output - reference) / max(np.linalg.norm(reference), 1e-30)
        errors[detail["name"]] = float(error) if np.isfinite(error) else None
    return {"reference": "Interpreter with XNNPACK", "relative_l2": errors}


# ------------------------------------------------------------------------------------------------------------- op profile


class ElementType(ctypes.Structure):
    """LiteRtRankedTensorType."""

    _fields_ = [
        ("element_type", ctypes.c_int),
        ("rank_and_flags", ctypes.c_uint),
        ("dimensions", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    ]


class Event(ctypes.Structure):
    """ProfiledEventData of LiteRT 2.3."""

    _fields_ = [
        ("tag", ctypes.c_char_p),
        ("event_type", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_size_t * 6),
        ("metadata1", ctypes.c_uint64),
        ("metadata2", ctypes.c_uint64),
        ("source", ctypes.c_int),
    ]


class Profiled(object):
    """A CPU model with LiteRT's profiler on, through its C API: neither Python API reaches the profiler."""

    OPERATOR, DELEGATE_OPERATOR = 2, 8

    def __init__(self, runtime, model, threads, xnnpack):
        self.lib = ctypes.CDLL(os.path.join(runtime.folder, "libLiteRt.so"))
        self.kept = []  # the library keeps pointers to these
        environment, options = self.made("CreateEnvironment", 0, None), self.made("CreateOptions")
        loaded = self.made("CreateModelFromFile", environment, self.text(model))
        self.call("SetOptionsHardwareAccelerators", options, 1)  # the CPU
        mode = "delegate" if xnnpack else "builtin"
        self.add_options(options, "xnnpack", 'num_threads = %d\nkernel_mode = "%s"\n' % (threads, mode))
        self.add_options(options, "runtime_options_string", "enable_profiling = true\n")
        self.model = self.made("CreateCompiledModel", environment, loaded, options)
        signature = self.made("GetModelSignature", loaded, ctypes.c_size_t(0))
        self.inputs = self.buffers(environment, signature, "Input")
        self.outputs = self.buffers(environment, signature, "Output")
        self.profiler = self.made("CompiledModelGetProfiler", self.model)

    def call(self, name, *arguments):
        status = getattr(self.lib, "LiteRt" + name)(*arguments)
        if status:
            raise RuntimeError("LiteRt%s: status %d" % (name, status))

    def made(self, name, *arguments):
        made = ctypes.c_void_p()
        self.call(name, *(arguments + (ctypes.byref(made),)))
        return made

    def text(self, value):
        self.kept.append(ctypes.create_string_buffer(value.encode()))
        return self.kept[-1]

    def add_options(self, options, name, toml):
        no_deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
        self.kept.append(no_deleter)
        self.call(
            "AddOpaqueOptions", options, self.made("CreateOpaqueOptions", self.text(name), self.text(toml), no_deleter)
        )

    def buffers(self, environment, signature, side):
        count, made = ctypes.c_size_t(), []
        self.call("GetNumSignature%ss" % side, signature, ctypes.byref(count))
        for index in range(count.value):
            number, kind = ctypes.c_size_t(index), ElementType()
            self.call(
                "GetRankedTensorType",
                self.made("GetSignature%sTensorByIndex" % side, signature, number),
                ctypes.byref(kind),
            )
            needs = self.made("GetCompiledModel%sBufferRequirements" % side, self.model, ctypes.c_size_t(0), number)
            made.append(self.made("CreateManagedTensorBufferFromRequirements", environment, ctypes.byref(kind), needs))
        return made

    def feed(self, arrays):
        for buffer, array in zip(self.inputs, arrays):
            address, array = ctypes.c_void_p(), np.ascontiguousarray(array)
            self.call("LockTensorBuffer", buffer, ctypes.byref(address), 1)
            ctypes.memmove(address.value, array.ctypes.data, array.nbytes)
            self.call("UnlockTensorBuffer", buffer)

    def run(self):
        fed, read = (ctypes.c_void_p * len(side) for side in (self.inputs, self.outputs))
        sizes = [ctypes.c_size_t(len(side)) for side in (self.inputs, self.outputs)]
        self.call(
            "RunCompiledModel",
            self.model,
            ctypes.c_size_t(0),
            sizes[0],
            fed(*self.inputs),
            sizes[1],
            read(*self.outputs),
        )

    def events(self):
        """The operators of one run, in order: (tag, event type, node, microseconds)."""
        self.call("ResetProfiler", self.profiler)
        self.call("StartProfiler", self.profiler)
        self.run()
        self.call("StopProfiler", self.profiler)
        count = ctypes.c_int()
        self.call("GetNumProfilerEvents", self.profiler, ctypes.byref(count))
        events = (Event * count.value)()
        self.call("GetProfilerEvents", self.profiler, count, events)
        wanted = (self.OPERATOR, self.DELEGATE_OPERATOR)
        return [
            (e.tag.decode("utf-8", "replace"), e.event_type, e.metadata1, e.elapsed_us)
            for e in events
            if e.event_type in wanted
        ]


def profile(runtime, request, engine):
    """Mean microseconds of every operator over the asked runs: [name, type, mean, calls, executor or None].

    Inside an XNNPACK partition the rows are XNNPACK's own operators, which are not the graph's one to one.
    """
    delegate = request["delegate"]
    if not runtime.label.startswith("ai-edge-litert 2.3."):
        raise NotImplementedError(
            "op profiles are read with ai-edge-litert 2.3 (its C structs); here is " + runtime.label
        )
    if delegate["way"] != "interpreter" or delegate.get("library"):
        raise NotImplementedError("op profiles exist for cpu and xnnpack only")
    if request.get("signature"):
        raise NotImplementedError("op profiles are taken of a model's first signature only")
    if (request.get("shapes") or engine.own_shapes) != engine.own_shapes:
        raise NotImplementedError("op profiles are taken with the model's own input shapes only")
    model = Profiled(runtime, request["model"], request["threads"], delegate["xnnpack"])
    model.feed(random_inputs(engine.inputs, request["input_seed"], request.get("ranges")))
    for _ in range(request["warmup_runs"]):
        model.run()
    began, runs = time.time(), []
    while not runs or len(runs) < request["runs"] and time.time() - began < request["max_seconds"]:
        runs.append(model.events())
    rows = []
    for same in zip(*runs):
        tag, kind, node, _ = same[0]
        executor = "xnnpack" if kind == Profiled.DELEGATE_OPERATOR else None
        rows.append(["%s:%d" % (tag, node), tag, sum(event[3] for event in same) / float(len(same)), 1, executor])
    return rows


# ------------------------------------------------------------------------------------------------- this process and machine


def redirect_stderr(path):
    """Send fd 2 to `path`; the function that it returns puts it back and copies what was written."""
    sys.stderr.flush()
    before = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    os.close(log)

    def restore():
        sys.stderr.flush()
        os.dup2(before, 2)
        with open(path, "rb") as file:
            text = file.read()
        while text:
            text = text[os.write(2, text) :]

    return restore


def status_field(path, name):
    """A "Name:   123 kB" line of a proc file in 2**20 bytes; None where there is none."""
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024.0
    except (OSError, ValueError):
        pass
    return None


def resident(name):
    return status_field("/proc/self/status", name)


def proportional():
    return status_field("/proc/self/smaps_rollup", "Pss")


def reset_peak():
    """Let VmHWM start from here; False where the kernel does not allow it."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def peak_by_rusage():
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2.0**20 if sys.platform == "darwin" else 2.0**10)


def allowed_cpus():
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def write_json(path, value):
    """The file appears whole or not at all."""
    with open(path + ".part", "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def failed_node(message):
    """The first node that could not be prepared, by a runtime's words; None where they name none."""
    before, failed, _ = message.partition(") failed to prepare")
    found = re.match(r"(\d{1,9}) \(", before.rpartition("Node number ")[2]) if failed else None
    return int(found.group(1)) if found else None


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def version(distribution):
    try:
        from importlib.metadata import version as of

        return of(distribution)
    except Exception:  # Python 3.7 has no importlib.metadata
        return "of unknown version"


# ------------------------------------------------------------------------------------------------------------------ probe


def loadable(library):
    """None when the library can be loaded, else the reason."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return None


def probe():
    """What this interpreter is and which accelerators can exist; every "yes" and "no" with its evidence."""
    said = {"format": FORMAT, "python": sys.version.split()[0], "executable": sys.executable, "numpy": np.__version__}
    try:
        runtime = Runtime()
    except ImportError as error:
        return dict(said, runtime=None, accelerators=[], evidence={"runtime": str(error)})
    evidence, accelerators = {}, []
    for name, look in (("gpu", probe_gpu), ("npu", probe_npu), ("edgetpu", probe_edgetpu)):
        there, evidence[name] = look(runtime)
        accelerators += [name] if there else []
    return dict(said, runtime=runtime.label, accelerators=accelerators, evidence=evidence)


def probe_gpu(runtime):
    found = glob.glob(os.path.join(runtime.folder, "libLiteRt*Accelerator.*"))
    if not found:
        return False, "no libLiteRt…Accelerator library in %s" % runtime.label
    names = ", ".join(sorted(os.path.basename(path) for path in found))
    if sys.platform == "darwin":
        return True, names
    missing = loadable("libvulkan.so.1")
    return (False, "%s is there, but %s" % (names, missing)) if missing else (True, names + " and libvulkan.so.1")


def probe_npu(runtime):
    plugins = glob.glob(os.path.join(runtime.folder, "vendors", "*", "dispatch", "libLiteRtDispatch_*.so"))
    if not plugins:
        return False, "no LiteRT dispatch library in %s" % runtime.label
    said = []
    for path in sorted(plugins):
        vendor = os.path.basename(os.path.dirname(os.path.dirname(path)))
        missing = vendor_runtime_missing(vendor)
        if not missing:
            return True, "%s and its runtime" % os.path.basename(path)
        said.append("%s: %s" % (vendor, missing))
    return False, "; ".join(said)


def vendor_runtime_missing(vendor):
    from importlib.util import find_spec

    if vendor == "intel_openvino":
        return None if find_spec("openvino") else "openvino is not installed (pip install ai-edge-litert-sdk-intel)"
    return loadable("libQnnHtp.so") if vendor == "qualcomm" else "its runtime is not known to this script"


def probe_edgetpu(runtime):
    missing = loadable("libedgetpu.1.dylib" if sys.platform == "darwin" else "libedgetpu.so.1")
    return (False, missing) if missing else (True, "libedgetpu can be loaded")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
