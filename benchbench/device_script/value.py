"""What all values here have in common.

`dataclass(frozen=True)` would write it anew for every class each time that a device starts the script, which takes a
tenth of that start; so classes are `@dataclass(eq=False, repr=False)`, and this is written once.
"""

from __future__ import annotations


class Value:
    """A value that does not change, equal to another of the same class with the same fields."""

    # The host reads answers with pydantic: the script travels with these files, so an unknown key is a mistake.
    __pydantic_config__ = {"extra": "forbid", "allow_inf_nan": False}  # noqa: RUF012  # pydantic wants a plain dict

    def __setattr__(self, name: str, value: object) -> None:
        if name in vars(self):
            raise AttributeError(f"{type(self).__name__}.{name} does not change: make another with dataclasses.replace")
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
