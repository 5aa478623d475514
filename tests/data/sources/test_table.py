import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from bmip.data.dataset import DataError, Dataset, Split, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.data.sources.class_name_file import read_class_names
from tests.data.sources.test_folder import everything, names

Row = dict[str, str]


@pytest.fixture
def photos(tmp_path: Path, picture) -> list[Row]:
    """Ten pictures of each of three classes, in no order."""
    (tmp_path / "photos").mkdir()
    rows = []
    for index in range(30):
        picture(index).save(tmp_path / "photos" / f"{index}.png")
        rows.append({"path": f"photos/{index}.png", "label": ("dog", "big_cat", "ant")[index % 3]})
    return rows


def write(file: Path, rows: list[Row]) -> str:
    if file.suffix.lower() in (".csv", ".tsv"):
        with file.open("w", newline="") as stream:
            tab = "\t" if file.suffix == ".tsv" else ","
            table = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)), delimiter=tab)
            table.writeheader()
            table.writerows(rows)
    elif file.suffix == ".json":
        file.write_text(json.dumps(rows, indent=1))
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def shown(split: Split | None) -> dict[str, int]:
    return {} if split is None else dict(zip(names(split), split.labels, strict=True))


@pytest.mark.parametrize("name", ["pets.csv", "pets.jsonl", "pets.CSV", "pets.tsv", "pets.json"])
def test_a_split_is_drawn_and_kept(tmp_path: Path, photos: list[Row], name: str) -> None:
    dataset = load_dataset(write(tmp_path / name, photos), ReadConfig(split_seed=2))
    assert (dataset.name, dataset.classes.names, dataset.notes) == ("pets", ("ant", "big cat", "dog"), ())
    assert {part: Counter(split.labels) for part, split in dataset.splits().items()} == {
        "train": {0: 5, 1: 5, 2: 5},
        "val": {0: 2, 1: 2, 2: 2},
        "test": {0: 3, 1: 3, 2: 3},
    }
    for split in dataset.splits().values():
        assert shown(split) == {path: 2 - int(Path(path).stem) % 3 for path in names(split)}
    assert dataset.train.images[0].shape == (3, 9, 12)
    assert (tmp_path / "pets.split.json").is_file()
    assert split_hash(load_dataset(str(tmp_path / name), ReadConfig(split_seed=3))) == split_hash(dataset)


@pytest.mark.parametrize("val", ["val", "validation", "Valid"])
def test_a_split_of_its_own(tmp_path: Path, photos: list[Row], val: str) -> None:
    for index, row in enumerate(photos):
        row["split"] = ("train", "train", val, "test")[index // 3 % 4]
    dataset = load_dataset(write(tmp_path / "pets.csv", photos))
    for part, word in (("train", "train"), ("val", val), ("test", "test")):
        assert names(dataset.splits()[part]) == [row["path"] for row in photos if row["split"] == word]
    assert not (tmp_path / "pets.split.json").exists()


def test_validation_images_come_from_training(tmp_path: Path, photos: list[Row]) -> None:
    for index, row in enumerate(photos):
        row["split"] = "test" if index < 9 else "train"
    dataset = load_dataset(write(tmp_path / "pets.csv", photos))
    assert names(dataset.test) == [f"photos/{index}.png" for index in range(9)]
    assert Counter(dataset.val.labels) == {0: 1, 1: 1, 2: 1}  # type: ignore[union-attr]
    again = load_dataset(str(tmp_path / "pets.csv"), ReadConfig(split_seed=9))
    assert split_hash(again) == split_hash(dataset)


def test_numbers_are_sorted_as_numbers(tmp_path: Path, photos: list[Row]) -> None:
    for index, row in enumerate(photos):
        row["label"] = ("10", "9", "2")[index % 3]
    assert load_dataset(write(tmp_path / "pets.csv", photos)).classes.names == ("2", "9", "10")


def test_labels_of_the_same_number_have_an_order(tmp_path: Path, photos: list[Row]) -> None:
    """Not that of a set of texts, which another process has otherwise."""
    for spellings in (("1", "01", "001"), ("01", "001", "1")):
        for index, row in enumerate(photos):
            row["label"] = spellings[index % 3]
        (tmp_path / "pets.split.json").unlink(missing_ok=True)
        assert load_dataset(write(tmp_path / "pets.csv", photos)).classes.names == ("001", "01", "1")


def test_class_names_from_files(tmp_path: Path, photos: list[Row]) -> None:
    file = write(tmp_path / "pets.csv", photos)

    def named(name: str, content: str) -> tuple[str, ...]:
        (tmp_path / name).write_text(content)
        return load_dataset(file, ReadConfig(class_names=str(tmp_path / name))).classes.names

    assert named("names.json", '{"big_cat": "tiger", "ant": "red ant"}') == ("red ant", "tiger", "dog")
    assert named("names.json", '["a", "b", "c"]') == ("a", "b", "c")
    assert named("names.txt", "x\n\n y \nz\n") == ("x", "y", "z")
    with pytest.raises(DataError, match="class_names renames cow; the classes are ant, big cat, dog"):
        named("names.json", '{"cow": "x"}')
    with pytest.raises(DataError, match="2 class names came for 3 classes"):
        named("names.txt", "x\ny\n")
    for content in ("{", "3", '{"a": 1}', '["a", 2]'):
        (tmp_path / "names.json").write_text(content)
        with pytest.raises(DataError, match=r"names.json (cannot be read|is neither an object)"):
            read_class_names(tmp_path / "names.json")
    with pytest.raises(DataError, match=r"absent.txt does not exist"):
        read_class_names(tmp_path / "absent.txt")


def test_names_are_for_ones_own_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'digits' has its own class names"):
        load_dataset("digits", class_names=["a"])


def test_absolute_paths_below_the_table_are_made_relative(tmp_path: Path, photos: list[Row]) -> None:
    relative = load_dataset(write(tmp_path / "pets.csv", photos))
    (tmp_path / "pets.split.json").unlink()
    for row in photos:
        row["path"] = str(tmp_path / row["path"])
    assert split_hash(load_dataset(write(tmp_path / "pets.csv", photos))) == split_hash(relative)


def test_a_spreadsheets_export_is_read(tmp_path: Path, photos: list[Row]) -> None:
    lines = ["path , label"] + [f"{row['path']}, {row['label']}" for row in photos]
    (tmp_path / "pets.csv").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    assert len(everything(load_dataset(str(tmp_path / "pets.csv")))) == 30


def test_columns_may_be_called_in_capitals(tmp_path: Path, photos: list[Row]) -> None:
    capitals = [{key.capitalize(): value for key, value in row.items()} for row in photos]
    found, plain = (
        load_dataset(write(tmp_path / name, rows)) for name, rows in (("a.csv", capitals), ("b.csv", photos))
    )
    assert found.classes == plain.classes and shown(found.train) == shown(plain.train)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_what_spreadsheets_write(tmp_path: Path, photos: list[Row], encoding: str, separator: str) -> None:
    """A class and a folder with an umlaut, labels with commas, in the encodings that are in use."""
    (tmp_path / "photos").rename(tmp_path / "Fotos für uns")
    renamed = {"ant": "Käfer", "dog": "dog; Hund, \t big"}
    with (tmp_path / "pets.csv").open("w", newline="", encoding=encoding) as stream:
        table = csv.writer(stream, delimiter=separator)
        table.writerow(["path", "label", "by"])
        for row in photos:
            path = row["path"].replace("photos", "Fotos für uns")
            table.writerow([path, renamed.get(row["label"], row["label"]), "me"])
    dataset = load_dataset(str(tmp_path / "pets.csv"))
    assert dataset.classes.names == ("Käfer", "big cat", "dog; Hund, big")
    assert len(everything(dataset)) == 30
    assert [("read as Windows-1252" in note, "'für'" in note) for note in dataset.notes] == [(True, True)] * (
        encoding == "latin-1"
    )


def test_a_space_that_does_not_break_is_no_separator(tmp_path: Path, photos: list[Row]) -> None:
    text = "path,label\r\n" + "".join(f"{row['path']},{row['label']}\xa0x\r\n" for row in photos)
    (tmp_path / "pets.csv").write_bytes(text.encode("cp1252"))
    dataset = load_dataset(str(tmp_path / "pets.csv"))
    assert "\\xa0" in dataset.notes[0]
    assert len(everything(dataset)) == 30


@pytest.mark.parametrize(
    ("above", "note"), [("\n", "a"), ("\r\n\r\n", "a"), ("sep=;\r\n", "a,b,c,d"), ("SEP=;\n", "a,b,c,d")]
)
def test_lines_above_the_header(tmp_path: Path, photos: list[Row], above: str, note: str) -> None:
    lines = [f"{row['path']};{row['label']};a, b, c" for row in photos]
    (tmp_path / "pets.csv").write_text(above + "\n".join([f"path;label;{note}", *lines]), newline="")
    dataset = load_dataset(str(tmp_path / "pets.csv"))
    assert len(everything(dataset)) == 30
    (tmp_path / "bad.csv").write_text(above + "\n".join([f"path;label;{note}", *lines, "x.png;;"]), newline="")
    with pytest.raises(DataError, match=f"line {32 + len(above.splitlines())}: its label is empty"):
        load_dataset(str(tmp_path / "bad.csv"))


def test_paths_that_were_written_on_windows(tmp_path: Path, photos: list[Row]) -> None:
    as_there = [{**row, "path": row["path"].replace("/", "\\")} for row in photos]
    plain, found = (
        load_dataset(write(tmp_path / name, rows)) for name, rows in (("a.csv", photos), ("b.csv", as_there))
    )
    assert shown(found.train) == shown(plain.train)


def test_absolute_paths_through_a_link(tmp_path: Path, photos: list[Row]) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    absolute = [{**row, "path": str(tmp_path / "link" / row["path"])} for row in photos]
    write(tmp_path / "pets.csv", absolute)
    dataset = load_dataset(str(tmp_path / "link" / "pets.csv"))
    assert sorted(name for name in everything(dataset)) == sorted(row["path"] for row in photos)


def test_another_column_of_labels(tmp_path: Path, photos: list[Row]) -> None:
    for index, row in enumerate(photos):
        row["kind"] = ("x", "y")[index % 2]
    file = write(tmp_path / "pets.json", photos)
    first = [split_hash(load_dataset(file, ReadConfig(label_column=column))) for column in ("kind", "label")]
    assert load_dataset(file, ReadConfig(label_column="kind")).classes.names == ("x", "y")
    assert (tmp_path / "pets.kind.split.json").is_file(), "each column has a split of its own"
    assert [split_hash(load_dataset(file, ReadConfig(label_column=column))) for column in ("kind", "label")] == first
    with pytest.raises(DataError, match=r"entry 1 has no breed; it has path, label, kind: .*--label-column"):
        load_dataset(file, ReadConfig(label_column="breed"))


def test_bad_images_are_named_or_skipped(tmp_path: Path, photos: list[Row]) -> None:
    (tmp_path / "photos/3.png").write_text("nothing")
    (tmp_path / "photos/4.png").unlink()
    file = write(tmp_path / "pets.csv", photos)
    with pytest.raises(DataError, match=r"3.png is not an image.*4.png does not exist: replace"):
        load_dataset(file)
    assert len(everything(load_dataset(file, ReadConfig(skip_bad_images=True)))) == 28


def test_a_table_that_changed(tmp_path: Path, photos: list[Row], picture) -> None:
    file = tmp_path / "pets.csv"
    first: Dataset = load_dataset(write(file, photos[:-1]))
    more = load_dataset(write(file, photos))
    assert split_hash(more) == split_hash(first)
    assert "leaves out 1 image of" in more.notes[0]
    photos[0]["label"] = "ant"
    with pytest.raises(DataError, match=r"pets.split.json was drawn for another state of pets.csv \(photos/0.png"):
        load_dataset(write(file, photos))


def test_a_table_that_got_a_test_split(tmp_path: Path, photos: list[Row]) -> None:
    file = tmp_path / "pets.csv"
    drawn = load_dataset(write(file, photos))
    tested = set(names(drawn.test))
    for row in photos:
        row["split"] = "train" if row["path"] in tested else "test"
    with pytest.raises(DataError, match="was drawn for another state"):
        load_dataset(write(file, photos))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,label\na.png,cat\n", "line 2 has no path; it has file, label: name the columns path and label"),
        ("path,label\na.png,\n", "line 2: its label is empty"),
        ("path,label\na.png,cat, big\n", "line 2 has more values than there are columns"),
        ("path,label\n", "lists no images"),
        ("path,label\na.png,cat\na.png,dog\n", "line 3 lists a.png again, after .*line 2"),
        ("path,label,split\na.png,cat,trian\n", "line 2: the split 'trian' is not one of train, test, val"),
        ("path,label,split\na.png,cat,train\nb.png,cat,\n", "none to b.png: give it to all"),
        ("path,label,split\na.png,cat,train\nb.png,dog,train\n", "has the splits train; train and test are needed"),
        ("path,label\n../a.png,cat\n", "leads out of"),
        ("path,label\n/a.png,cat\n", "is not below"),
    ],
)
def test_what_can_be_wrong(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "pets.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        load_dataset(str(tmp_path / "pets.csv"))


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.csv does not exist: give the path of a folder .* or of a table"):
        load_dataset("absent.csv")
    for line, part in (
        ('{"path": "a", "label": ["b"]}', r"line 2: its label is \['b'\]: give a word or a whole number"),
        ('{"path": "a", "label": true}', "its label is True"),
        ('{"path": "a\\u0000", "label": "b"}', "its path .* holds a broken character"),
        ('{"path": "a", "label": "\\ud800"}', "line 2: its label .* holds a broken character"),
        ('{"path": ' * 20000, "line 2 cannot be read|line 2 is no JSON"),
        ('{"path": ' + "1" * 5000, "line 2 cannot be read|line 2 is no JSON"),
    ):
        (tmp_path / "pets.jsonl").write_text('{"path": "x.png", "label": "b"}\n' + line)
        with pytest.raises(DataError, match=part):
            load_dataset(str(tmp_path / "pets.jsonl"))
    (tmp_path / "pets.jsonl").write_text('{"path": "a"\n')
    with pytest.raises(DataError, match=r"pets.jsonl, line 1 is no JSON"):
        load_dataset(str(tmp_path / "pets.jsonl"))
    (tmp_path / "pets.jsonl").write_text("[1]\n")
    with pytest.raises(DataError, match="line 1 is no object with path and label"):
        load_dataset(str(tmp_path / "pets.jsonl"))
    (tmp_path / "pets.csv").write_bytes(b"path,label\na.png,\x81")
    with pytest.raises(DataError, match=r"pets.csv cannot be read as text .*: save it as UTF-8"):
        load_dataset(str(tmp_path / "pets.csv"))
    for content, part in (("{}", "holds no list"), ("[3]", "entry 1 is no object"), ("[", "pets.json is no JSON")):
        (tmp_path / "pets.json").write_text(content)
        with pytest.raises(DataError, match=part):
            load_dataset(str(tmp_path / "pets.json"))
