from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.config.inventory import NAME, device_file, read_device, read_inventory, select, with_discovered
from benchbench.values.device import Adb, Device, Local, Ssh
from benchbench.values.errors import InputError, NothingToDo

PHONE = 'address = { transport = "adb", serial = "R58N" }\n'


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_device_is_called_by_its_file_and_knows_it(tmp_path: Path) -> None:
    path = written(tmp_path, "pixel8.toml", PHONE)
    assert read_device(path) == Device(name="pixel8", address=Adb(serial="R58N"), source=str(path))


@pytest.mark.parametrize(
    ("name", "text", "telling"),
    [
        ("a.toml", "", "address: is missing (add address = …)"),
        ("a.toml", "address = 'local'", "address"),
        ("a.toml", "address = { transport = 'usb' }", 'address: no such transport: "usb" (one of local, ssh, adb)'),
        ("a.toml", "address = { host = 'pi' }", "transport is missing"),
        ("a.toml", "address = { transport = 'ssh' }", "host: is missing"),
        ("a.toml", "address = { transport = 'ssh', host = '' }", "host"),
        ("a.toml", "address = { transport = 'ssh', host = 'pi', port = 99999 }", "port"),
        ("a.toml", "address = { transport = 'ssh', host = 'pi', port = '22' }", "port"),
        ("a.toml", "address = { transport = 'local', host = 'pi' }", "host: no such key"),
        ("a.toml", PHONE + "workdri = '/tmp'", 'workdri: no such key (did you mean "workdir"?)'),
        ("a.toml", PHONE + "workdir = '/'", "workdir: must be a folder of its own"),
        ("a.toml", PHONE + "workdir = '~'", "workdir: must be a folder of its own"),
        ("a.toml", PHONE + "workdir = '/data/../..'", "workdir: must be a folder of its own"),
        ("a.toml", PHONE + "runner = 'tflite'", "runner"),
        ("a.toml", PHONE + "runner = 'pyhton'", 'did you mean "python"?'),
        (
            "a.toml",
            PHONE + "libraries = { extrnal = '/x.so' }",
            'no such delegate: "extrnal" (did you mean "external"?)',
        ),
        ("a.toml", PHONE + "name = 'b'", "name: the file's name is the device's name"),
        ("a b.toml", PHONE, "a device's name is letters"),
        ("ä.toml", PHONE, "a device's name is letters"),
        ("-a.toml", PHONE, "a device's name is letters"),
        ("a\n.toml", PHONE, "a device's name is letters"),
    ],
)
def test_a_mistake_in_a_device_file_is_one_line_with_file_and_key(
    tmp_path: Path, name: str, text: str, telling: str
) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(InputError) as caught:
        read_device(path)
    assert str(path).replace("\n", "; ") in str(caught.value)
    assert telling in str(caught.value)


def test_a_binary_is_looked_for_beside_its_device_file_also_on_resume(tmp_path: Path) -> None:
    device = read_device(written(tmp_path, "pixel8.toml", PHONE + "binary = 'tools/benchmark_model'"))
    assert device.binary == str(tmp_path / "tools" / "benchmark_model")
    other = read_device(written(tmp_path, "pixel8.toml", PHONE + "onnxruntime_perf_test = 'tools/perf'"))
    assert (other.onnxruntime_perf_test, other.binary) == (str(tmp_path / "tools" / "perf"), None)


def test_this_machine_is_there_without_a_file(tmp_path: Path) -> None:
    assert read_inventory(tmp_path / "none") == (Device(name="host", address=Local()),)
    written(tmp_path, "pixel8.toml", PHONE)
    assert [device.name for device in read_inventory(tmp_path)] == ["host", "pixel8"]


def test_this_machine_is_there_once_where_a_file_says_so(tmp_path: Path) -> None:
    written(tmp_path, "laptop.toml", "address = { transport = 'local' }")
    assert [device.name for device in read_inventory(tmp_path)] == ["laptop"]


def test_a_phone_without_a_file_is_called_by_its_model(tmp_path: Path) -> None:
    found = with_discovered((), [("R58N", "Pixel 8 Pro")])
    assert found == (Device(name="pixel-8-pro", address=Adb(serial="R58N")),)


def test_a_phone_that_a_file_describes_is_not_found_again() -> None:
    known = (Device(name="mine", address=Adb(serial="R58N")),)
    assert with_discovered(known, [("R58N", "Pixel 8")]) == known


PHONES = st.lists(st.tuples(st.text(min_size=1), st.none() | st.text()), max_size=8, unique_by=lambda phone: phone[0])


@given(PHONES)
def test_every_phone_has_a_name_of_its_own_that_a_file_may_have(
    phones: list[tuple[str, str | None]],
) -> None:
    found = with_discovered([Device(name="host", address=Local())], phones)
    names = [device.name for device in found]
    assert len(set(names)) == len(phones) + 1
    assert all(NAME.fullmatch(name) for name in names)


def test_phones_of_one_model_and_alike_serials_have_names_of_their_own() -> None:
    serials = ["10.0.0.5:5555", "10-0-0-5-5555", "10.0.0.5.5555", "x" * 90, "x" * 91]
    found = with_discovered((), [(serial, "Pixel 8") for serial in serials])
    assert len({device.name for device in found}) == len(serials)


@given(st.text(min_size=1), st.integers(1, 65535))
def test_a_written_device_file_reads_as_the_same_address(
    tmp_path_factory: pytest.TempPathFactory, text: str, port: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    for address in (Adb(serial=text), Ssh(host=text, port=port, user=text), Local()):
        path.write_text(device_file(Device(name="any", address=address)), encoding="utf-8")
        assert read_device(path).address == address


def test_devices_are_chosen_by_name_or_glob_each_once() -> None:
    devices = [Device(name=name, address=Local()) for name in ("pixel8", "pixel9", "rpi5")]
    assert [d.name for d in select(devices, ["pixel*", "pixel8"], "m.toml")] == ["pixel8", "pixel9"]
    assert select(devices, None, "m.toml") == tuple(devices)


def test_an_unknown_device_is_answered_with_the_one_that_was_meant() -> None:
    devices = [Device(name=name, address=Local()) for name in ("pixel8", "rpi5")]
    with pytest.raises(InputError, match=r"m\.toml: devices: no device fits 'pixle8' \(did you mean \"pixel8\"\?\)"):
        select(devices, ["pixle8"], "m.toml: devices")


def test_no_device_at_all_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo, match="is empty"):
        select([], [], "m.toml: devices")


def test_a_tilde_in_a_path_on_the_device_is_the_home_there(tmp_path: Path) -> None:
    text = (
        PHONE
        + "python = '~/py'\nlibraries = { edgetpu = '~/lib.so', gpu = '/lib.so' }\nenv = { A = '~/icd', B = 'x~' }\n"
    )
    device = read_device(written(tmp_path, "a.toml", text)).at_home("/home/pi")
    assert device.python == "/home/pi/py"
    assert device.libraries == {"edgetpu": "/home/pi/lib.so", "gpu": "/lib.so"}
    assert device.env == {"A": "/home/pi/icd", "B": "x~"}
    assert read_device(tmp_path / "a.toml").at_home(None).python == "~/py"
