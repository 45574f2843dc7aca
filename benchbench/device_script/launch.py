"""One launch, stage by stage: a failure still leaves what was known before it."""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .engines import engines_of
from .errors import NeedsCpu, Unusable, first_line, in_words
from .protocol import FORMAT, STAGE, Answer, Delegation, Failure, Memory, Request, to_json
from .system import allowed_cpus, peak_mb, proportional_mb, reset_peak, resident_mb, write_whole
from .tensors import random_inputs, stored_inputs
from .timing import repeat, timed

if TYPE_CHECKING:
    from .engine import Engine
    from .errors import Words
    from .tensors import Array


class Launch:
    """Fills the answer that goes to `path`; `with_cpu` lets the CPU take what an accelerator leaves."""

    def __init__(self, path: str, with_cpu: bool) -> None:
        self.answer = Answer(FORMAT, "failed", Delegation("unknown"))
        self.path = path
        self.with_cpu = with_cpu
        self.stage = "request"
        self.words: Words = in_words  # once its runtime is known, that one's
        self.ready: Engine | None = None  # once its graph is built
        self.first: tuple[list[Array], list[Array]] | None = None  # what the first inference was fed, and its outputs

    def run(self, request: Request) -> None:
        """Raises what goes wrong; `explain` puts it into the answer."""
        self.answer = replace(self.answer, delegation=Delegation("unknown", asked=request.asked))
        self._at("import")
        began = time.perf_counter_ns()
        engines = engines_of(request)
        self.words = engines.in_words
        engine = engines.engine(request, request.delegate, self.with_cpu)
        self.answer = replace(
            self.answer,
            runtime=engine.label,
            api=engine.api,
            timed=engine.timed,
            python=sys.version.split()[0],
            numpy=np.__version__,
            threads=request.threads,
            cpus=allowed_cpus(),
            phases_ns={"import": time.perf_counter_ns() - began},
        )
        self._build(engine)
        self._work(request, engine)
        self._describe(engine)
        if request.fidelity and self.first:
            self._save()
            self._at("fidelity")
            from .fidelity import fidelity

            self.answer = replace(self.answer, fidelity=fidelity(engine, *self.first, self.words))
        self.answer = replace(self.answer, status="ok")

    def explain(self, error: Exception) -> None:
        """Put a failure into the answer; where the graph was built, say also who had taken what."""
        failure = Failure(self.stage, type(error).__name__, self.words(error))
        delegation = self.answer.delegation
        if isinstance(error, Unusable):
            delegation = replace(delegation, verdict=error.verdict, evidence=str(error))
        elif self.ready is not None and self.stage != "delegation":
            try:
                delegation = replace(self.ready.delegation(), asked=delegation.asked)
            except Exception as second:
                delegation = replace(delegation, evidence=f"could not be read after the failure: {second}")
        self.answer = replace(self.answer, error=failure, delegation=delegation)

    def _at(self, stage: str) -> None:
        self.stage = stage
        with open(STAGE, "w", encoding="utf-8") as file:
            file.write(stage)

    def _save(self, evidence: str | None = None) -> None:
        """Write what is known by now: whatever crashes from here on, it is a measurement that is done."""
        delegation = replace(self.answer.delegation, evidence=evidence) if evidence else self.answer.delegation
        write_whole(self.path, to_json(replace(self.answer, status="ok", delegation=delegation)))

    def _build(self, engine: Engine) -> None:
        """Make the engine ready, phase by phase."""
        memory = Memory("load" if reset_peak() else "process start", rss_start_mb=resident_mb())
        self.answer = replace(self.answer, memory=memory)
        for stage, step in engine.steps():
            self._at(stage)
            took = timed(step)
            self.answer = replace(self.answer, phases_ns={**(self.answer.phases_ns or {}), stage: took})
        self.ready = engine
        self.answer = replace(self.answer, memory=replace(memory, rss_loaded_mb=resident_mb()))

    def _work(self, request: Request, engine: Engine) -> None:
        """What the launch is for, and its memory."""
        if request.evaluate:
            from .evaluate import evaluate

            self._at("evaluate")
            done = evaluate(engine, request.evaluate)
            self.answer = replace(
                self.answer,
                evaluated=done.count,
                first_ns=done.times_ns[0],
                warmup_ns=done.times_ns[:1],
                steady_ns=done.times_ns[1:] or done.times_ns,
                stopped_by=done.stopped_by,
            )
        elif request.profile:
            self._at("profile")
            self.answer = replace(self.answer, profile=engine.profile())
        else:
            self._measure(engine, request)
        memory = self.answer.memory
        if memory is not None:
            now = replace(memory, rss_end_mb=resident_mb(), rss_peak_mb=peak_mb(), pss_end_mb=proportional_mb())
            self.answer = replace(self.answer, memory=now)

    def _measure(self, engine: Engine, request: Request) -> None:
        """First inference, warm-up, steady state."""
        self._at("inputs")
        fed = (
            stored_inputs(request.inputs)
            if request.inputs
            else random_inputs(engine.inputs, request.input_seed, request.ranges)
        )
        engine.feed(fed)
        self._at("first inference")
        first_ns = timed(engine.step)
        self.first = fed, engine.results()
        self._at("warm-up")
        gc.collect()
        gc.disable()
        limit = request.max_seconds
        warmup, _ = repeat(engine.step, request.warmup_runs - 1, request.warmup_min_seconds, limit, first_ns)
        self._at("steady state")
        steady, stopped_by = repeat(engine.step, request.runs, request.min_seconds, limit)
        gc.enable()
        self.answer = replace(
            self.answer,
            first_ns=first_ns,
            warmup_ns=(first_ns, *warmup),
            steady_ns=tuple(steady),
            stopped_by=stopped_by,
        )

    def _describe(self, engine: Engine) -> None:
        """Looking comes after timing: it must not touch what is timed. What is timed is written before it."""
        self._save("the process ended while this was being read")
        self._at("delegation")
        asked = self.answer.delegation.asked
        try:
            self.answer = replace(self.answer, delegation=replace(engine.delegation(), asked=asked))
            self.answer = replace(
                self.answer,
                ops=engine.ops(),
                inputs=tuple(tensor.info for tensor in engine.inputs),
                outputs=tuple(tensor.info for tensor in engine.outputs),
            )
        except (Unusable, NeedsCpu):
            raise
        except Exception as error:
            known = self.answer.delegation
            evidence = known.evidence or f"could not be read: {first_line(error, self.words)}"
            self.answer = replace(self.answer, delegation=replace(known, evidence=evidence))
