from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from benchbench.config.complaints import did_you_mean
from benchbench.config.toml_files import read_toml, validated
from benchbench.values.device import Frozen
from benchbench.values.errors import InputError


class Inner(Frozen):
    depth: int = Field(ge=0)


class Outer(Frozen):
    name: str
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()


def complaint(path: Path, content: bytes) -> InputError:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        validated(Outer, read_toml(path), path)
    assert str(path) in caught.value.message
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.toml: no such file"):
        read_toml(tmp_path / "nothing.toml")


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("content", "telling"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"name = ", "is not TOML"),
        (b"name = 'a'\nname = 'b'", "is not TOML"),
        (b"name = " + b"[" * 100_000, "is not TOML"),
        (b"name = " + b"9" * 5000, "is not TOML"),
        (b"name = 2026-13-41", "is not TOML"),
    ],
)
def test_what_is_no_toml_is_one_line_with_its_file(tmp_path: Path, content: bytes, telling: str) -> None:
    assert telling in complaint(tmp_path / "a.toml", content).message


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfname = 'a'")
    assert read_toml(path) == {"name": "a"}


def test_a_typo_in_a_key_is_answered_with_the_key_that_was_meant(tmp_path: Path) -> None:
    error = complaint(tmp_path / "a.toml", b"nmae = 'a'\nname = 'b'")
    assert ": nmae: no such key" in error.message
    assert error.remedy == 'did you mean "name"?'


def test_a_typo_in_a_key_that_must_be_there_is_told_as_a_typo(tmp_path: Path) -> None:
    assert complaint(tmp_path / "a.toml", b"nmae = 'a'").remedy == 'did you mean "name"?'


def test_a_word_like_no_other_is_answered_with_all_that_there_are() -> None:
    assert did_you_mean("zzz", {"b", "a"}) == "known: a, b"


def test_the_word_that_was_typed_is_never_offered() -> None:
    assert did_you_mean("dataset", {"dataset", "datasets"}) == 'did you mean "datasets"?'
    assert "did you mean" not in did_you_mean("pixel8", {"pixel8", "host"})


def test_a_key_deep_in_the_file_is_named_by_its_whole_way(tmp_path: Path) -> None:
    error = complaint(tmp_path / "a.toml", b"name = 'a'\n[[many]]\ndepth = 1\n[[many]]\ndepth = -1")
    assert "many 2: depth: should be 0 or more" in error.message
    assert error.remedy == "it is -1"


def test_a_missing_key_is_answered_with_the_line_to_add(tmp_path: Path) -> None:
    error = complaint(tmp_path / "a.toml", b"[inner]\ndepth = 1")
    assert "name: is missing" in error.message
    assert error.remedy == "add name = …"


def test_a_long_wrong_value_is_not_repeated_whole(tmp_path: Path) -> None:
    error = complaint(tmp_path / "a.toml", b"name = [" + b"1, " * 10_000 + b"]")
    assert len(str(error)) < 600


@given(content=st.binary(max_size=200))
def test_no_file_makes_anything_but_a_value_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    with suppress(InputError):
        validated(Outer, read_toml(path), path)
