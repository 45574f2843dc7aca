from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.config.matrix import load_matrix
from benchbench.values.errors import InputError

FAMILY = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist"
MODEL = f'[[model]]\nfamily = "fashion_mnist"\nvariants = "{FAMILY}/fashion_mnist_float32.tflite"\n'
TOP = 'name = "test"\ndelegates = ["cpu", "xnnpack"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "matrix.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> InputError:
    path = written(folder, text)
    with pytest.raises(InputError) as caught:
        load_matrix(path)
    assert str(path) in caught.value.message
    assert ": :" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_matrix_is_a_value_with_its_models_inspected(tmp_path: Path) -> None:
    matrix = load_matrix(written(tmp_path, TOP + MODEL))
    (variant,) = matrix.variants
    assert (variant.id, variant.scheme) == ("fashion_mnist.float32", "float32")
    assert len(variant.sha256) == 64
    assert [delegate.kind for delegate in matrix.delegates] == ["cpu", "xnnpack"]
    assert (matrix.threads, matrix.devices, matrix.measure.rounds) == ((1,), None, 5)


def test_model_paths_are_relative_to_the_matrix_and_variants_hold_whole_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set [1]*"  # what a glob would misread
    folder.mkdir()
    (folder / "m.tflite").symlink_to(FAMILY / "fashion_mnist_float32.tflite")
    written(folder, f'{TOP}[[model]]\nfamily = "m"\nvariants = "*.tflite"\n')
    monkeypatch.chdir(folder)
    (variant,) = load_matrix(Path("matrix.toml")).variants
    assert Path(variant.path).is_absolute()


def test_a_file_that_two_patterns_find_is_one_variant(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").symlink_to(FAMILY / "fashion_mnist_float32.tflite")
    text = f'{TOP}[[model]]\nfamily = "m"\nvariants = ["*.tflite", "./m.tflite", "m.tflite"]\n'
    assert len(load_matrix(written(tmp_path, text)).variants) == 1


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("thread = [1]\n{top}{model}", "thread: no such key", 'did you mean "threads"?'),
        ("{top}{model}[measure]\nround = 3", "measure.round: no such key", 'did you mean "rounds"?'),
        ("{top}{model}dataste = 'x.npz'", "model 1: dataste: no such key", 'did you mean "dataset"?'),
        ("{top}{model}[measure]\ncooldown = {{ below = 3 }}", "measure.cooldown.below", "below_c"),
        ("{top}", "model: is missing", "add model"),
        ("name = 'x'\n{model}", "delegates: is missing", "add delegates"),
        ("name = 'x'\ndelegates = []\n{model}", "delegates", ""),
        ("name = 'x'\ndelegates = ['xnpack']\n{model}", 'no such kind: "xnpack"', 'did you mean "xnnpack"?'),
        ("name = 'x'\ndelegates = ['CUDA']\n{model}", 'no such kind: "CUDA"', 'did you mean "ort-cuda"?'),
        ("name = 'x'\ndelegates = ['zzz']\n{model}", 'no such kind: "zzz"', "one of cpu, xnnpack, "),
        ("name = 'x'\ndelegates = [{{ accelerator = 'a' }}]\n{model}", "kind is missing", "kind"),
        ("name = 'x'\ndelegates = [3]\n{model}", "delegates: item 1", ""),
        ("name = 'x'\ndelegates = 'cpu'\n{model}", "delegates", "cpu"),
        ("name = 'x'\ndelegates = [{{ kind = 'gpu', precision = 'fp8' }}]\n{model}", "precision", "fp8"),
        ("{top}threads = [0]\n{model}", "threads: item 1: should be 1 or more", "0"),
        ("{top}threads = []\n{model}", "threads", ""),
        ("{top}threads = 'many'\n{model}", "threads", "many"),
        (
            'name = "x"\n[[model]]\nfamily = "a b"\nvariants = "a.tflite"',
            "letters A to Z and a to z, digits, _, -",
            '"a b"',
        ),
        ("{top}threads = [true]\n{model}", "threads: item 1", "true"),
        ("{top}affinity = ['fast']\n{model}", "affinity", "hex mask"),
        ("{top}affinity = ['bgi']\n{model}", "affinity", 'did you mean "big"?'),
        ("{top}cache = ['clod']\n{model}", "cache: item 1: should be", 'did you mean "cold"?'),
        ("{top}{model}[[budget]]\nmax = {{ median = 3 }}", "budget 1", 'did you mean "median_ms"?'),
        ("{top}{model}[budget]\nmax = {{ median_ms = 3 }}", "budget", "write [[budget]]"),
        ("{top}{model}[measure]\ngoal = 'best'\nbest_by = 'init'", "best_by = 'init'", 'did you mean "init_ms"?'),
        ("{top}{model}[[budget]]\nmax = {{ median_ms = nan }}", "budget 1: max.median_ms: should be a finite", "nan"),
        ("{top}{model}[[budget]]\nmax = {{ added_mb = inf }}", "budget 1: max.added_mb: should be a finite", "inf"),
        ("{top}{model}[[budget]]\nmax = {{ median_ms = -1 }}", "budget 1: max: median_ms = -1", ""),
        (
            "{top}{model}[[budget]]\nmin = {{ accuracy_top1 = 90 }}",
            "budget 1: min: accuracy_top1 = 90",
            "never above 1",
        ),
        (
            "{top}{model}[[budget]]\nmin = {{ accuracy_cosine = 1.1 }}",
            "budget 1: min: accuracy_cosine",
            "never above 1",
        ),
        ("{top}{model}[[budget]]\nmin = {{ accuracy_map = 45 }}", "budget 1: min: accuracy_map", "never above 1"),
        (
            "{top}{model}[measure]\nmin_seconds = 0\nwarmup_min_seconds = 0\ntimeout_seconds = 0.1",
            "timeout_seconds",
            "1 or",
        ),
        ("{top}{model}[tool]\ngeneration = 'litrt'", "tool.generation", 'did you mean "litert"?'),
        ("{top}{model}[measure]\nrounds = 0", "measure.rounds", "0"),
        ("{top}{model}[measure]\nrounds = '3'", "measure.rounds", '"3"'),
        ("{top}{model}[measure]\nmin_seconds = 9\nmax_seconds = 3", "min_seconds must not exceed max_seconds", ""),
        ("{top}{model}[measure]\ntimeout_seconds = inf", "measure.timeout_seconds", "finite"),
        ("{top}{model}[measure]\nmin_seconds = nan", "measure.min_seconds", ""),
        ("{top}{model}[[skip]]\nreason = 'because'", "skip 1: names no cell", "give device"),
        ("{top}{model}[tool]\nversion = '../x'", "tool.version", "../x"),
        ("{top}[[model]]\nfamily = '../m'\nvariants = 'a'", "model 1: family", "../m"),
        ("{top}[[model]]\nfamily = 'm'\nvariants = 3", "model 1: variants", "3"),
        ("{top}{model}samples = 4", "samples", "dataset"),
        ("{top}{model}dataset = 'none.npz'", "dataset: no such file", "none.npz"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_remedy(tmp_path: Path, text: str, key: str, remedy: str) -> None:
    error = complaint(tmp_path, text.format(top=TOP, model=MODEL))
    assert key in error.message
    assert remedy in str(error)


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("{top}threads = [1, 2, 1]\n{model}", "threads has '1' twice"),
        ("name = 'x'\ndelegates = ['cpu', {{ kind = 'cpu' }}]\n{model}", "delegates has 'cpu' twice"),
        ("{top}{model}{model}", "model has 'fashion_mnist' twice"),
        ("{top}affinity = ['big', 'big']\n{model}", "affinity has 'big' twice"),
    ],
)
def test_the_same_case_twice_is_a_mistake(tmp_path: Path, text: str, twice: str) -> None:
    assert twice in complaint(tmp_path, text.format(top=TOP, model=MODEL)).message


def test_a_missing_model_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    error = complaint(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = ["none.tflite"]\n')
    assert "no file fits 'none.tflite'" in error.message
    assert str(tmp_path) in error.remedy


def test_a_folder_in_place_of_models_names_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    error = complaint(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = "nets/"\n')
    assert "write nets/*.tflite" in error.remedy


def test_a_model_in_place_of_a_matrix_and_a_matrix_that_is_not_there_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a model, no matrix") as error:
        load_matrix(FAMILY / "fashion_mnist_float32.tflite")
    assert "benchbench run " in error.value.remedy
    with pytest.raises(InputError, match="no such file") as error:
        load_matrix(tmp_path / "nope.toml")
    assert "benchbench init" in error.value.remedy


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0\0\0\0TFL3" + b"\xff" * 100])
def test_a_corrupt_model_among_good_ones_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tflite").symlink_to(FAMILY / "fashion_mnist_float32.tflite")
    (tmp_path / "b.tflite").write_bytes(content)
    path = written(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = "*.tflite"\n')
    with pytest.raises(InputError, match=r"b\.tflite"):
        load_matrix(path)


def test_a_model_cut_short_is_named(tmp_path: Path) -> None:
    whole = (FAMILY / "fashion_mnist_int8.tflite").read_bytes()
    (tmp_path / "b.tflite").write_bytes(whole[: len(whole) // 2])
    path = written(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = "*.tflite"\n')
    with pytest.raises(InputError, match=r"b\.tflite"):
        load_matrix(path)


def test_a_folder_that_a_pattern_finds_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "b.tflite").mkdir()
    (tmp_path / "a.tflite").symlink_to(FAMILY / "fashion_mnist_float32.tflite")
    path = written(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = "*.tflite"\n')
    assert [variant.name for variant in load_matrix(path).variants] == ["a"]


def test_a_key_in_the_wrong_table_is_told_where_it_belongs(tmp_path: Path) -> None:
    error = complaint(tmp_path, TOP + 'dataset = "x.npz"\n' + MODEL)
    assert "dataset: no such key" in error.message
    assert error.remedy == "dataset belongs in [[model]]"
    assert complaint(tmp_path, TOP + MODEL + "rounds = 3").remedy == "rounds belongs in [measure]"
    assert complaint(tmp_path, TOP + MODEL + "[measure]\nthreads = [1]").remedy.startswith("threads belongs ")
    assert complaint(tmp_path, TOP + "roundz = 3\n" + MODEL).remedy == 'did you mean "rounds", in [measure]?'


def test_a_delegate_is_offered_its_own_options_only(tmp_path: Path) -> None:
    text = 'name = "t"\ndelegates = [{ kind = "xnnpack", acelerator = "dsp" }]\n' + MODEL
    assert "accelerator" not in complaint(tmp_path, text).remedy


def test_all_that_is_wrong_is_told_at_once_in_words_of_the_matrix(tmp_path: Path) -> None:
    text = f'name = "t"\nthreads = ["two"]\ndelegates = ["xnnpck"]\n{MODEL}[measure]\nrounds = 0\nprofile = "yes"\n'
    said = complaint(tmp_path, text).message
    assert "4 mistakes" in said
    for part in (
        'threads: item 1: should be a whole number (it is "two")',
        'delegates 1: no such kind: "xnnpck" (did you mean "xnnpack"?)',
        "measure.rounds: should be 1 or more (it is 0)",
        'measure.profile: should be true or false (it is "yes")',
    ):
        assert part in said
    for word in ("Input", "valid", "tuple", "pydantic", "str"):
        assert word not in said.replace(str(tmp_path), "")


def test_a_matrix_may_name_its_variants(tmp_path: Path) -> None:
    for name in ("float32", "int8"):
        (tmp_path / f"export_{name}_final.tflite").symlink_to(FAMILY / f"fashion_mnist_{name}.tflite")
    named = '{ plain = "export_float32_final.tflite", "8.bit" = "export_int8*.tflite" }'
    matrix = load_matrix(written(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = {named}\n'))
    assert [(v.id, v.scheme) for v in matrix.variants] == [("m.plain", "float32"), ("m.8.bit", "int8")]


@pytest.mark.parametrize(
    ("variants", "telling"),
    [
        ('{ plain = "*.tflite" }', "variants: plain: 2 files fit '*.tflite' (a name is that of one file)"),
        ('{ plain = "none.tflite" }', "variants: no file fits 'none.tflite'"),
        ('{ "../up" = "a.tflite" }', "../up"),
        ('{ one = "a.tflite", two = "a.tflite" }', "is there twice"),
    ],
)
def test_a_name_is_harmless_and_that_of_one_file(tmp_path: Path, variants: str, telling: str) -> None:
    for name, scheme in (("a", "float32"), ("b", "int8")):
        (tmp_path / f"{name}.tflite").symlink_to(FAMILY / f"fashion_mnist_{scheme}.tflite")
    error = complaint(tmp_path, f'{TOP}[[model]]\nfamily = "m"\nvariants = {variants}\n')
    assert telling in str(error)


def labels(folder: Path, delegates: str, cache: str) -> list[str]:
    matrix = load_matrix(written(folder, f'name = "test"\ndelegates = {delegates}\ncache = {cache}\n{MODEL}'))
    return [delegate.label for delegate in matrix.delegates]


def test_a_cache_is_an_axis_for_the_delegates_that_have_one(tmp_path: Path) -> None:
    assert labels(tmp_path, '["cpu", "xnnpack", "gpu"]', '["off", "cold", "warm"]') == [
        "cpu",
        *["xnnpack:no-cache", "xnnpack:cold", "xnnpack:warm"],
        *["gpu:no-cache", "gpu:cold", "gpu:warm"],
    ]
    own = '[{ kind = "npu", cache = "warm" }, { kind = "nnapi", accelerator = "x" }]'
    assert labels(tmp_path, own, '["cold"]') == ["npu:warm", "nnapi:x:cold"]
    assert labels(tmp_path, '["xnnpack", "gpu"]', "[]") == ["xnnpack", "gpu"]  # as without the key


def test_a_cache_that_nobody_has_or_that_is_there_twice_is_a_mistake(tmp_path: Path) -> None:
    assert "warm" in complaint(tmp_path, f'{TOP}cache = ["hot"]\n{MODEL}').message
    assert (
        "duplicate case: cache has 'warm' twice"
        in complaint(tmp_path, f'{TOP}cache = ["warm", "warm"]\n{MODEL}').message
    )
    twice = 'name = "test"\ndelegates = ["xnnpack", { kind = "xnnpack", cache = "warm" }]\ncache = ["warm"]\n'
    assert "'xnnpack:warm' twice" in complaint(tmp_path, twice + MODEL).message
    none = 'name = "test"\ndelegates = [{ kind = "cpu", cache = "warm" }]\n'
    assert "cache" in complaint(tmp_path, none + MODEL).message
