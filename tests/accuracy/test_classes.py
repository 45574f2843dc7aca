"""The class tables beside a trial's outputs: what they hold, whose names they use, and what a spoilt one says."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchbench.accuracy.classes import class_names, read_classes, read_confusion, write_classes
from benchbench.accuracy.feeding import Wanted, feed
from benchbench.accuracy.metrics import Classification, classify, wilson
from benchbench.accuracy.outputs import Output, kept_in, write_outputs
from benchbench.accuracy.scoring import score_run
from benchbench.analysis.frames import load
from benchbench.run_folder.journal import create, reopen
from benchbench.run_folder.manifest import DatasetRecord, Manifest
from benchbench.values.case import Variant
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome
from tests.accuracy.conftest import FAMILY

NAMES = {0: "NA", 1: 'a, "b"', 2: "null"}


def answered() -> Classification:
    """Three classes with a fourth that has no sample, and one sample without an answer."""
    scores = np.eye(4, dtype=np.float32)[[0, 0, 1, 2, 2]]
    scores[4] = np.nan
    return classify(scores, np.array([0, 1, 1, 2, 2]))


def test_tables_say_for_each_class_what_was_found_and_taken_for_what(tmp_path: Path) -> None:
    write_classes(tmp_path, answered(), NAMES)
    classes, confusion = (pd.DataFrame(read(tmp_path)) for read in (read_classes, read_confusion))
    assert classes["name"].tolist() == ["NA", 'a, "b"', "null", ""]
    assert classes[["support", "found"]].values.tolist() == [[1, 1], [2, 1], [2, 1], [0, 0]]
    assert classes["recall"].tolist()[:3] == [1, 0.5, 0.5]
    assert tuple(classes.loc[1, ["recall_low", "recall_high"]]) == pytest.approx(wilson(1, 2))
    assert np.isnan(classes["recall"][3])
    assert confusion[["label_name", "answer_name", "count"]].values.tolist() == [
        ["NA", "NA", 1],
        ['a, "b"', "NA", 1],
        ['a, "b"', 'a, "b"', 1],
        ["null", "null", 1],  # its other sample had no answer
    ]


def test_a_thousand_classes_make_small_tables_that_pandas_reads(tmp_path: Path) -> None:
    labels = np.arange(2000) % 1000
    write_classes(tmp_path, classify(np.eye(1000, dtype=np.float32)[(labels * 7) % 1000], labels), {})
    assert (tmp_path / "classes.csv").stat().st_size < 100_000
    assert (tmp_path / "confusion.csv").stat().st_size < 50_000
    assert pd.read_csv(tmp_path / "confusion.csv")["count"].sum() == 2000
    assert len(pd.read_csv(tmp_path / "classes.csv")) == 1000


def test_a_name_can_not_break_out_of_its_cell(tmp_path: Path) -> None:
    write_classes(tmp_path, answered(), {0: "one\ntwo\0", 1: "\udcff", 2: "=1+1", 3: "n" * 5000})
    classes = pd.DataFrame(read_classes(tmp_path))
    assert classes["name"].tolist() == ["one�two�", "�", "=1+1", "n" * 200]
    assert len((tmp_path / "classes.csv").read_text().splitlines()) == 5


def test_where_there_are_no_tables_there_is_nothing(tmp_path: Path) -> None:
    assert read_classes(tmp_path) is None
    assert read_confusion(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.csv", ""),
        ("classes.csv", "\0\0\0"),
        ("classes.csv", "class,name,support\n0,a,1\n"),
        ("classes.csv", "class,name,support,found\n0,a,1,2\n"),
        ("classes.csv", "class,name,support,found\n0,a,1,1\n0,b,1,1\n"),
        ("classes.csv", "class,name,support,found\n0,a,99999999999999999999999,1\n"),
        ("classes.csv", "class,name,support,found\n0,a,nan,1\n"),
        ("confusion.csv", "label,answer,count\n0,77,1\n"),
        ("confusion.csv", "label,answer,count\n0,0,-1\n"),
        ("confusion.csv", "label,answer,count\n0,0,1\n0,0,1\n"),
        ("confusion.csv", "label,answer,count\n0,1,4\n"),
        ("confusion.csv", "label,answer,count\n0,1\n"),
    ],
)
def test_a_spoilt_table_is_refused_by_its_name(tmp_path: Path, name: str, text: str) -> None:
    write_classes(tmp_path, answered(), NAMES)
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}: is no table of classes") as error:
        read_confusion(tmp_path)
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_refused_too(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_bytes(b"class,name,support,found\n0,\xff\xfe,1,1\n")
    with pytest.raises(InputError, match=r"classes\.csv: is no table of classes"):
        read_classes(tmp_path)


def test_outputs_that_lead_out_of_the_run_are_refused(tmp_path: Path) -> None:
    assert kept_in(tmp_path, "outputs/a") == tmp_path / "outputs" / "a"
    for hostile in ("../elsewhere", "/etc", "outputs/../../x"):
        with pytest.raises(InputError, match="leads out of the run folder"):
            kept_in(tmp_path, hostile)


def test_names_are_those_of_the_first_list_that_has_one_for_each_class(tmp_path: Path) -> None:
    listed = tmp_path / "labels.txt"
    listed.write_text("cat\n\n dog \n")
    assert class_names(2, [("a", "b", "c"), ("x", "y")], [listed], None) == {0: "x", 1: "y"}
    assert class_names(2, [("a", "b", "c")], [tmp_path / "none.txt", listed], None) == {0: "cat", 1: "dog"}
    assert class_names(3, [], [listed], None) == {}


def test_folders_of_images_name_their_classes_but_numbers_are_no_names(tmp_path: Path) -> None:
    for name in ("dog", "cat", "empty"):
        (tmp_path / "named" / name).mkdir(parents=True)
    for path in ("named/dog/a.png", "named/cat/deep/b.JPG"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert class_names(5, [], [], tmp_path / "named", offset=1) == {1: "cat", 2: "dog"}
    (tmp_path / "numbers" / "7").mkdir(parents=True)
    (tmp_path / "numbers" / "7" / "a.png").touch()
    assert class_names(10, [], [], tmp_path / "numbers") == {}
    (tmp_path / "named" / "labels.txt").write_text("dog/a.png 0\n")  # then the folders are not the classes
    assert class_names(5, [], [], tmp_path / "named") == {}


def scored_run(folder: Path, model: Path, data: Path) -> Path:
    """A run folder with outputs of 50 samples, taken back and then scored."""
    about = {"sha256": "", "size_mb": 0.5, "nodes": 14}
    variant = Variant.model_validate(
        {"family": "clothes", "name": "float32", "scheme": "float32", "path": str(model), **about}
    )
    wanted = Wanted("clothes", str(data), 50, 0)
    dataset = feed(wanted, [variant]).datasets[variant.id]
    assert dataset.labels is not None
    folder.mkdir(exist_ok=True)
    book = create(folder, Manifest(variants=(variant,), datasets=(DatasetRecord(**asdict(wanted)),)))
    (folder / "outputs" / "one").mkdir(parents=True)
    answers = np.where(np.arange(50) < 10, 3, dataset.labels)
    write_outputs(folder / "outputs" / "one" / "outputs.npz", [Output("y", np.eye(10, dtype=np.float32)[answers])])
    case = "host/clothes.float32/cpu/t1"
    same = {"case": case, "device": "host", "variant": variant.id, "round": 0, "position": 0, "status": "ok"}
    book.append(Outcome(trial=f"{case}/accuracy", purpose="accuracy", outputs="outputs/one", **same))
    score_run(book, {variant.id: dataset}, [variant], lambda _: None)
    book.close()
    return folder


def test_scoring_leaves_the_tables_beside_the_outputs_and_frames_read_them(tmp_path: Path) -> None:
    model = FAMILY / "fashion_mnist_float32.tflite"
    run = load(scored_run(tmp_path, model, FAMILY / "test.npz"))
    names = (FAMILY / "labels.txt").read_text().split("\n")[:10]
    assert run.classes["name"].tolist() == names  # from the list beside the dataset
    assert run.classes["support"].sum() == 50
    assert run.classes["found"].sum() == round(50 * float(str(run.outcomes[0].accuracy["top1"])))
    assert set(run.classes["case"]) == {"host/clothes.float32/cpu/t1"}
    assert run.confusion["count"].sum() == 50
    assert (run.confusion["answer_name"] == names[3]).sum() > 1


def test_a_model_s_own_labels_come_before_a_list_beside_the_data(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("labels.txt", "".join(f"packed {n}\n" for n in range(10)))
    model = tmp_path / "packed.tflite"
    model.write_bytes((FAMILY / "fashion_mnist_float32.tflite").read_bytes() + packed.getvalue())
    run = load(scored_run(tmp_path / "run", model, FAMILY / "test.npz"))
    assert run.classes["name"].tolist() == [f"packed {n}" for n in range(10)]


def test_without_anybody_to_name_them_classes_are_numbers(tmp_path: Path) -> None:
    for name in ("fashion_mnist_float32.tflite", "test.npz", "test.toml"):
        if (FAMILY / name).exists():
            shutil.copy(FAMILY / name, tmp_path)
    run = load(scored_run(tmp_path / "run", tmp_path / "fashion_mnist_float32.tflite", tmp_path / "test.npz"))
    assert set(run.classes["name"]) == {""}


def test_resuming_a_stranger_s_run_writes_nothing_outside_it(tmp_path: Path) -> None:
    folder = scored_run(tmp_path / "run", FAMILY / "fashion_mnist_float32.tflite", FAMILY / "test.npz")
    shutil.move(folder / "outputs" / "one", tmp_path / "elsewhere")
    for table in (tmp_path / "elsewhere").glob("*.csv"):
        table.unlink()
    lines = folder / "outcomes.jsonl"
    lines.write_text(lines.read_text().splitlines()[0].replace("outputs/one", "../elsewhere") + "\n")
    book = reopen(folder)
    variant = book.manifest.variants[0]
    datasets = feed(Wanted("clothes", str(FAMILY / "test.npz"), 50, 0), [variant]).datasets
    score_run(book, datasets, [variant], lambda _: None)
    book.close()
    outcome = load(folder).outcomes[-1]
    assert (outcome.status, [path.name for path in (tmp_path / "elsewhere").iterdir()]) == ("failed", ["outputs.npz"])
    assert "leads out of the run folder" in str(outcome.error)
