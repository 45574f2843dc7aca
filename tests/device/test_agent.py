from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.device.agent import Reply, folder_name, parse_reply, read_series
from benchbench.values.errors import LinkLost
from benchbench.values.job import Sample

WHOLE = (
    b"state=DONE\nrc=0\nt0=10.50\nt1=12.75\nsize.conditions.before=31\nsize.conditions.after=9\n"
    b"size.out=6\nsize.err=0\nsize.answer.json=4\n\nload=0.5\nthermal.cpu#0=41000\n\n\nload=0.7\nout\n\n\n{ }\n"
)


def test_a_reply_is_the_jobs_state_its_streams_and_its_answers() -> None:
    reply = parse_reply(WHOLE, limit_s=9)
    assert (reply.state, reply.before["load"], reply.after["load"], reply.tool_s) == ("DONE", "0.5", "0.7", 2.25)
    assert reply.raw is not None
    assert (reply.raw.exit_code, reply.raw.stdout, reply.raw.stderr) == (0, b"out\n\n\n", b"")
    assert reply.raw.answers == {"answer.json": b"{ }\n"}


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_a_reply_cut_short_anywhere_is_a_lost_link(cut: int) -> None:
    with pytest.raises(LinkLost, match="cut short"):
        parse_reply(WHOLE[:cut], limit_s=9)


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "ABSENT"])
def test_a_job_that_is_not_over_has_no_result(state: str) -> None:
    reply = parse_reply(f"state={state}\n\n".encode(), limit_s=9)
    assert (reply.state, reply.raw) == (state, None)


@pytest.mark.parametrize(
    ("code", "seconds", "late"),
    [(137, 9.0, True), (137, 9.4, True), (124, 9.4, False), (137, 2.0, False), (0, 9.5, False), (1, 9.5, False)],
)
def test_only_what_was_killed_at_its_limit_is_late(code: int, seconds: float, late: bool) -> None:
    said = f"state=DONE\nrc={code}\nt0=100.00\nt1={100 + seconds:.2f}\nsize.out=0\nsize.err=0\n\n"
    raw = parse_reply(said.encode(), limit_s=9).raw
    assert raw is not None
    assert raw.late is late


def test_a_job_whose_exit_code_could_not_be_written_has_no_result() -> None:
    assert parse_reply(b"state=DONE\nsize.out=2\n\nok", limit_s=9) == Reply("DONE")


@pytest.mark.parametrize(
    "noise",
    [
        b"state=DONE\nrc=0\nsize.out=-5\n\n",
        b"state=DONE\nrc=0\nsize.out=x\n\n",
        b"state=DONE\nrc=\xc2\xb2\n\n",
        b"state=DANCING\n\n",
    ],
)
def test_a_garbled_reply_is_a_lost_link_and_no_accident(noise: bytes) -> None:
    with pytest.raises(LinkLost):
        parse_reply(noise, limit_s=9)


@given(st.binary(max_size=300) | st.lists(st.sampled_from([*WHOLE.splitlines(keepends=True), b"\n"])).map(b"".join))
def test_any_bytes_are_a_reply_or_a_lost_link(data: bytes) -> None:
    try:
        reply = parse_reply(data, limit_s=9)
    except LinkLost:
        return
    assert isinstance(reply, Reply)


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_jobs_folder_is_one_harmless_name_for_each_trial(trial: str, other: str) -> None:
    name = folder_name(trial)
    assert name == folder_name(trial)
    assert len(name) < 200
    assert "/" not in name
    assert not name.startswith(("-", "."))
    assert name.isascii()
    assert (name == folder_name(other)) == (trial == other)


def test_a_series_is_what_was_read_but_for_garble_and_a_line_cut_off() -> None:
    said = b"10.50 1 41000\n10.50 2 two words\nnoise\n1e999 1 x\n11 3 none such\n11 0 x\n11.52 1 \n12.5 1 4"
    whole = (Sample(10.5, "a", "41000"), Sample(10.5, "b", "two words"), Sample(11.52, "a", ""))
    assert read_series(said, ["a", "b"]) == whole


@given(st.binary(max_size=200))
def test_any_bytes_are_a_series(data: bytes) -> None:
    assert len(read_series(data, ["a"])) <= data.count(b"\n")
