from __future__ import annotations

from dataclasses import replace

import pytest

from benchbench.device_script.protocol import Memory, Preprocess


def test_a_value_does_not_change() -> None:
    how = Preprocess(scale=2.0)
    with pytest.raises(AttributeError, match=r"Preprocess\.scale does not change"):
        how.scale = 3.0
    assert (how.scale, replace(how, scale=3.0).scale) == (2.0, 3.0)


def test_values_of_one_class_and_content_are_one() -> None:
    assert Preprocess(scale=2.0) == Preprocess(scale=2.0) != Preprocess()
    assert len({Preprocess(scale=2.0), Preprocess(scale=2.0), Preprocess()}) == 2
    assert Memory("load") != Preprocess()


def test_a_value_shows_its_fields() -> None:
    assert repr(Preprocess(scale=2.0)) == "Preprocess(scale=2.0, mean=(0.0,), std=(1.0,))"
