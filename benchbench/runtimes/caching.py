"""A delegate that can keep what it compiles, so that a later start need not compile it again."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from benchbench.runtimes.script_backend import ScriptBackend
from benchbench.values.backend import Cache


class CachingBackend(ScriptBackend):
    """What all of them have in the matrix and in their labels; where their caches are is in their own files."""

    cache: Cache | None = Field(
        default=None,
        description='"cold" begins each launch with an empty cache of what the delegate compiles, "warm" with one that '
        'a launch before it has filled, "off" with none; case ids have it. [none, and not in case ids]',
    )

    @property
    def caching(self) -> Cache | None:
        return self.cache

    @property
    def cache_label(self) -> tuple[str, ...]:
        """The part of the label that tells it; nothing where nobody said."""
        return () if self.cache is None else ("no-cache" if self.cache == "off" else self.cache,)

    def with_cache(self, cache: Cache) -> Self | None:
        return self.model_copy(update={"cache": cache}) if self.cache is None else None
