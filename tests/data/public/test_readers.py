"""Small trees in the format of the archives, read without a published split."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.load import load_dataset
from bmip.data.public.matlab import cars
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from tests.data.public.class_lists import class_list


def names(split: Split | None) -> list[str]:
    return [] if split is None else [split.images.name(index) for index in range(len(split))]


def boundary(dataset: Dataset) -> tuple[str, ...]:
    """First, last base, first new and last class."""
    classes = dataset.classes.names
    middle = -(-len(classes) // 2)
    return classes[0], classes[middle - 1], classes[middle], classes[-1]


def text(file: Path, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{row}\n" for row in rows))


def per_class(dataset: Dataset) -> dict[str, set[int]]:
    return {part: set(Counter(split.labels).values()) for part, split in dataset.splits().items()}


@pytest.mark.parametrize(
    ("name", "place", "folders", "expected"),
    [
        (
            "caltech101",
            "caltech-101/101_ObjectCategories",
            class_list("caltech"),
            ("face", "helicopter", "ibis", "yin_yang"),
        ),
        ("food101", "food-101/images", class_list("food"), ("apple_pie", "grilled_salmon", "guacamole", "waffles")),
        ("dtd", "dtd/images", class_list("dtd"), ("banded", "marbled", "matted", "zigzagged")),
        (
            "eurosat",
            "eurosat/2750",
            class_list("eurosat"),
            ("Annual Crop Land", "Industrial Buildings", "Pasture Land", "Sea or Lake"),
        ),
    ],
)
def test_classes_that_are_folders(tmp_path: Path, put, name, place, folders, expected) -> None:
    for folder in reversed(folders):
        put(f"{place}/{folder}", 7)
    (tmp_path / place / folders[-1] / "notes.txt").write_text("")
    dataset = load_dataset(name, ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == expected
    assert len(dataset.classes) == PUBLIC[name].classes
    assert per_class(dataset) == {"train": {round(3.5)}, "val": {round(1.4)}, "test": {7 - 4 - 1}}
    everything = [name for split in dataset.splits().values() for name in names(split)]
    assert len(everything) == len(set(everything)) == 7 * len(dataset.classes)
    assert all((tmp_path / place / path).is_file() for path in everything)


def test_caltech_starts_with_capitals_and_renames_afterwards(tmp_path: Path, put) -> None:
    for folder in class_list("caltech"):
        put(f"caltech-101/101_ObjectCategories/{folder}", 3)
    dataset = load_dataset("caltech101", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names[:5] == ("face", "leopard", "motorbike", "accordion", "airplane")
    assert names(dataset.test)[0].startswith("Faces/")


def test_eurosat_names_and_template(tmp_path: Path, put) -> None:
    for folder in class_list("eurosat"):
        put(f"eurosat/2750/{folder}", 3)
    dataset = load_dataset("eurosat", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == (
        "Annual Crop Land",
        "Forest",
        "Herbaceous Vegetation Land",
        "Highway or Road",
        "Industrial Buildings",
        "Pasture Land",
        "Permanent Crop Land",
        "Residential Buildings",
        "River",
        "Sea or Lake",
    )
    assert dataset.classes.template == "a centered satellite photo of {}."
    assert load_dataset("eurosat", ReadConfig(root=str(tmp_path), template="{}")).classes.template == "{}"


def test_pets(tmp_path: Path, put) -> None:
    rows = {"trainval": [], "test": []}
    for number, breed in enumerate(class_list("pets"), start=1):
        put("oxford_pets/images", [f"{breed}_{index}.jpg" for index in range(8)])
        for index in range(8):
            rows["trainval" if index < 5 else "test"].append(f"{breed}_{index} {number} 1 1")
    text(tmp_path / "oxford_pets/annotations/list.txt", "# not read")
    for part, listed in rows.items():
        text(tmp_path / f"oxford_pets/annotations/{part}.txt", "#Image CLASS-ID SPECIES BREED ID", *listed)
    dataset = load_dataset("oxford_pets", ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == ("abyssinian", "keeshond", "leonberger", "yorkshire_terrier")
    assert len(dataset.classes) == 37
    assert per_class(dataset) == {"train": {4}, "val": {1}, "test": {3}}
    assert names(dataset.test)[:2] == ["Abyssinian_5.jpg", "Abyssinian_6.jpg"]
    assert dataset.classes.template == "a photo of a {}, a type of pet."


def annotations(file: Path, rows: list[tuple[str, int]]) -> None:
    """Stanford's structure array: four corners of a box, the class from 1, the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fields = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
    table = np.zeros((1, len(rows)), dtype=[(field, object) for field in fields])
    for index, (image, label) in enumerate(rows):
        table[0, index] = (39, 116, 569, 375, label, image)
    savemat(file, {"annotations": table})


def test_cars(tmp_path: Path, put) -> None:
    folder = tmp_path / "stanford_cars"
    rows = {"train": [(f"{index:05}.jpg", index % 3 + 1) for index in range(15)]}
    rows["test"] = [(f"{index:05}.jpg", 3 - index % 3) for index in range(6)]
    for part, listed in rows.items():
        put(f"stanford_cars/cars_{part}", [image for image, _ in listed])
    annotations(folder / "devkit/cars_train_annos.mat", rows["train"])
    annotations(folder / "cars_test_annos_withlabels.mat", rows["test"])
    models = np.array([["AM General Hummer SUV 2000", "Audi S4 Sedan 2012", "smart fortwo Convertible 2012"]], object)
    savemat(folder / "devkit/cars_meta.mat", {"class_names": models})
    dataset = load_dataset("stanford_cars", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == (
        "2000 AM General Hummer SUV",
        "2012 Audi S4 Sedan",
        "2012 smart fortwo Convertible",
    )
    assert per_class(dataset) == {"train": {4}, "val": {1}, "test": {2}}
    assert names(dataset.test) == [f"cars_test/{index:05}.jpg" for index in range(6)]
    assert dataset.test.labels == (2, 1, 0, 2, 1, 0)
    assert all(
        label == int(path[-9:-4]) % 3 for path, label in zip(names(dataset.train), dataset.train.labels, strict=True)
    )
    assert dataset.train.images[0].shape == (3, 20, 28)


def test_all_cars(tmp_path: Path, put) -> None:
    folder, models = tmp_path / "stanford_cars", class_list("cars")
    files = {"train": "devkit/cars_train_annos.mat", "test": "cars_test_annos_withlabels.mat"}
    for part, count in (("train", 3), ("test", 1)):
        rows = [(f"{label:03}_{index}.jpg", label) for label in range(1, 197) for index in range(count)]
        put(f"stanford_cars/cars_{part}", [image for image, _ in rows])
        annotations(folder / files[part], rows)
    year_last = [f"{model} {year}" for year, _, model in (name.partition(" ") for name in models)]
    savemat(folder / "devkit/cars_meta.mat", {"class_names": np.array([year_last], object)})
    dataset = load_dataset("stanford_cars", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(models)
    assert boundary(dataset) == (
        "2000 AM General Hummer SUV",
        "1998 Eagle Talon Hatchback",
        "2012 FIAT 500 Abarth",
        "2012 smart fortwo Convertible",
    )


def test_one_car_is_enough_to_be_read(tmp_path: Path, put) -> None:
    folder = tmp_path / "stanford_cars"
    for file in ("devkit/cars_train_annos.mat", "cars_test_annos_withlabels.mat"):
        annotations(folder / file, [("1.jpg", 1)])
    savemat(folder / "devkit/cars_meta.mat", {"class_names": np.array([["Audi S4 2012"]], object)})
    assert cars(folder, folder).parts["test"] == (("cars_test/1.jpg", 0, "2012 Audi S4"),)


def test_flowers(tmp_path: Path, put) -> None:
    labels = [3, 1, 2] * 10
    folder = put("oxford_flowers/jpg", [f"image_{index:05}.jpg" for index in range(1, 31)]).parent
    savemat(folder / "imagelabels.mat", {"labels": np.array([labels], dtype=np.uint8)})
    (folder / "cat_to_name.json").write_text(
        json.dumps({"3": "canterbury bells", "1": "pink primrose", "2": "hard-leaved pocket orchid"})
    )
    dataset = load_dataset("oxford_flowers", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == ("pink primrose", "hard-leaved pocket orchid", "canterbury bells")
    assert per_class(dataset) == {"train": {5}, "val": {2}, "test": {3}}
    for split in dataset.splits().values():
        assert [labels[int(path[6:11]) - 1] - 1 for path in names(split)] == list(split.labels)


def test_all_flowers(tmp_path: Path, put) -> None:
    folder = put("oxford_flowers/jpg", [f"image_{index:05}.jpg" for index in range(1, 511)]).parent
    labels = [index % 102 + 1 for index in range(510)]
    savemat(folder / "imagelabels.mat", {"labels": np.array([labels], dtype=np.uint8)})
    numbered = {str(number): name for number, name in enumerate(class_list("flowers"), start=1)}
    (folder / "cat_to_name.json").write_text(json.dumps(numbered, sort_keys=True))
    dataset = load_dataset("oxford_flowers", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(class_list("flowers"))
    assert boundary(dataset) == ("pink primrose", "petunia", "wild pansy", "blackberry lily")


def test_aircraft(tmp_path: Path, put) -> None:
    variants = ["707-320", "Boeing 717", "F/A-18"]
    folder = put("fgvc_aircraft/images", [f"{number:07}.jpg" for number in range(18)]).parent
    text(folder / "variants.txt", *variants)
    for place, part in enumerate(("train", "val", "test")):
        text(
            folder / f"images_variant_{part}.txt",
            *(f"{number:07} {variants[number % 3]}" for number in range(6 * place, 6 * place + 6)),
        )
    dataset = load_dataset("fgvc_aircraft", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(variants)
    assert names(dataset.val) == [f"{number:07}.jpg" for number in range(6, 12)]
    assert dataset.test.labels == (0, 1, 2, 0, 1, 2)
    assert [file.name for file in folder.iterdir() if "split" in file.name] == []
    assert dataset.notes == (f"fgvc_aircraft has 3 classes in {folder}; published results are on 100",)


def test_all_aircraft(tmp_path: Path, put) -> None:
    variants = class_list("aircraft")
    folder = put("fgvc_aircraft/images", [f"{number:07}.jpg" for number in range(300)]).parent
    text(folder / "variants.txt", *variants)
    for place, part in enumerate(("train", "val", "test")):
        numbers = range(100 * place, 100 * place + 100)
        text(folder / f"images_variant_{part}.txt", *(f"{number:07} {variants[number % 100]}" for number in numbers))
    dataset = load_dataset("fgvc_aircraft", ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == ("707-320", "Cessna 525", "Cessna 560", "Yak-42")
    assert per_class(dataset) == {"train": {1}, "val": {1}, "test": {1}}
    assert dataset.notes == ()


def test_sun(tmp_path: Path, put) -> None:
    places = ["/a/abbey", "/i/ice_skating_rink/indoor", "/i/ice_skating_rink/outdoor", "/y/youth_hostel"]
    folder = tmp_path / "sun397"
    text(folder / "ClassName.txt", *places)
    for place in places:
        put(f"sun397/SUN397{place}", [f"sun_{index}.jpg" for index in range(8)])
    text(folder / "Training_01.txt", *(f"{place}/sun_{index}.jpg" for place in places for index in range(5)))
    text(folder / "Testing_01.txt", *(f"{place}/sun_{index}.jpg" for place in places for index in range(5, 8)))
    dataset = load_dataset("sun397", ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == ("abbey", "indoor ice_skating_rink", "outdoor ice_skating_rink", "youth_hostel")
    assert per_class(dataset) == {"train": {4}, "val": {1}, "test": {3}}
    assert names(dataset.test)[3] == "i/ice_skating_rink/indoor/sun_5.jpg"


def test_ucf(tmp_path: Path, put) -> None:
    lists = tmp_path / "ucf101/ucfTrainTestlist"
    text(lists / "classInd.txt", *(f"{number} {action}" for number, action in enumerate(class_list("ucf"), start=1)))
    train, test = [], []
    for number, action in enumerate(class_list("ucf"), start=1):
        shown = "HandStandPushups" if action == "HandstandPushups" else action  # so the archive has it
        words = "".join(f"_{letter}" if letter.isupper() else letter for letter in action).strip("_")
        put(f"ucf101/UCF-101-midframes/{words}", [f"v_{shown}_g{group:02}_c01.jpg" for group in range(1, 8)])
        train += [f"{action}/v_{shown}_g{group:02}_c01.avi {number}" for group in range(3, 8)]
        test += [f"{action}/v_{shown}_g{group:02}_c01.avi" for group in range(1, 3)]
    text(lists / "trainlist01.txt", *train)
    text(lists / "testlist01.txt", *test)
    dataset = load_dataset("ucf101", ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == ("Apply_Eye_Makeup", "Long_Jump", "Lunges", "Yo_Yo")
    assert len(dataset.classes) == 101
    assert per_class(dataset) == {"train": {4}, "val": {1}, "test": {2}}
    assert "Handstand_Pushups/v_HandStandPushups_g01_c01.jpg" in names(dataset.test)


WORDNET = {"n01440764": "tench", "n03773504": "missile", "n04008634": "missile", "n01443537": "goldfish"}


def classnames(folder: Path) -> None:
    text(folder / "classnames.txt", *(f"{wnid} {name}" for wnid, name in WORDNET.items()))


def test_imagenet(tmp_path: Path, put) -> None:
    folder = tmp_path / "imagenet"
    classnames(folder)
    for wnid in WORDNET:
        put(f"imagenet/images/train/{wnid}", [f"{wnid}_{index}.JPEG" for index in (10, 9, 2)])
        put(f"imagenet/images/val/{wnid}", [f"ILSVRC2012_val_{index}.JPEG" for index in range(2)])
    dataset = load_dataset("imagenet", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == ("tench", "goldfish", "missile", "missile")
    assert dataset.val is dataset.test
    assert dataset.val_is_test
    assert names(dataset.train)[:3] == [f"train/n01440764/n01440764_{index}.JPEG" for index in (10, 2, 9)]
    assert dataset.train.labels == (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3)
    assert names(dataset.test)[2] == "val/n01443537/ILSVRC2012_val_0.JPEG"


def test_all_of_imagenet(tmp_path: Path, put) -> None:
    """The order is that of the folders; what they are called is made up."""
    known = {f"n{10**7 + number:08}": name for number, name in enumerate(class_list("imagenet"))}
    text(tmp_path / "imagenet/classnames.txt", *(f"{wnid} {name}" for wnid, name in reversed(known.items())))
    for wnid in known:
        put(f"imagenet/images/train/{wnid}", 1)
        put(f"imagenet/images/val/{wnid}", 1)
    dataset = load_dataset("imagenet", ReadConfig(root=str(tmp_path)))
    assert boundary(dataset) == ("tench", "cleaver", "cliff dwelling", "toilet paper")
    assert (len(dataset.classes), len(set(dataset.classes.names))) == (1000, 998)


@pytest.mark.parametrize(
    ("name", "place", "count"),
    [
        ("imagenet_sketch", "imagenet-sketch/images", 4),
        ("imagenet_a", "imagenet-adversarial/imagenet-a", 2),
        ("imagenet_r", "imagenet-rendition/imagenet-r", 3),
    ],
)
def test_variants_by_wordnet_id(tmp_path: Path, put, name: str, place: str, count: int) -> None:
    there = sorted(WORDNET)[:count]
    for wnid in there:
        put(f"{place}/{wnid}", 2)
    classnames(tmp_path / place.split("/")[0])
    (tmp_path / place / "README.txt").write_text("")
    dataset = load_dataset(name, ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(WORDNET[wnid] for wnid in there)
    assert dataset.test.labels == tuple(label for label in range(count) for _ in range(2))
    assert (len(dataset.train), dataset.val, dataset.val_is_test) == (0, None, False)


def test_v2_is_numbered_by_the_lines_of_classnames(tmp_path: Path, put) -> None:
    place = "imagenetv2/imagenetv2-matched-frequency-format-val"
    for number in range(4):
        put(f"{place}/{number}", [f"{number}.jpeg"])
    classnames(tmp_path / "imagenetv2")
    dataset = load_dataset("imagenetv2", ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(WORDNET.values())
    assert dict(zip(names(dataset.test), dataset.test.labels, strict=True)) == {f"{n}/{n}.jpeg": n for n in range(4)}
    put(f"{place}/4", 1)
    with pytest.raises(DataError, match=r"the folders 4 are no lines of classnames.txt \(0 to 3\)"):
        load_dataset("imagenetv2", ReadConfig(root=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        (
            "aid",
            "AID/AID_dataset",
            {
                "BareLand": "bare land",
                "Center": "center area",
                "Commercial": "commercial area",
                "DenseResidential": "dense residential area",
                "Industrial": "industrial area",
                "MediumResidential": "medium residential area",
                "Parking": "parking",
                "RailwayStation": "railway station",
                "SparseResidential": "sparse residential area",
                "StorageTanks": "storage tanks",
            },
        ),
        (
            "whurs19",
            "WHURS19/images",
            {
                "Airport": "airport",
                "Commerical": "commercial area",
                "Industrial": "industrial area",
                "Residential": "residential area",
                "footballField": "football field",
                "railwayStation": "railway station",
            },
        ),
        (
            "mlrsnet",
            "MLRSNet/Images",
            {
                "bareland": "bareland",
                "dense_residential_area": "dense residential area",
                "harbor&port": "harbor and port",
                "swimmimg_pool": "swimming pool",
            },
        ),
        ("optimal", "OPTIMAL/Images", {"dense_residential": "dense residential", "golf_course": "golf course"}),
        ("rsicb128", "RSICB128/images", {"city_green_tree": "city green tree", "parkinglot": "parking lot"}),
        ("rsicb256", "RSICB256/images", {"dry_farm": "dry farm", "sandbeach": "sand beach"}),
    ],
)
def test_remote_sensing_names(tmp_path: Path, put, name: str, place: str, expected: dict[str, str]) -> None:
    for folder in expected:
        put(f"{place}/{folder}", 5)
    dataset = load_dataset(name, ReadConfig(root=str(tmp_path)))
    assert dataset.classes.names == tuple(expected.values())
    assert dataset.classes.template == "a photo of a {}."


def test_ten_classes_come_after_two(tmp_path: Path, put) -> None:
    """V2's folders are numbers, and sorted as numbers."""
    place = "imagenetv2/imagenetv2-matched-frequency-format-val"
    text(tmp_path / "imagenetv2/classnames.txt", *(f"n{number:08} class {number}" for number in range(12)))
    for number in range(12):
        put(f"{place}/{number}", 1)
    assert load_dataset("imagenetv2", ReadConfig(root=str(tmp_path))).test.labels == tuple(range(12))


# what can be wrong with the files of a data set


def refused(name: str, root: Path, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(name, ReadConfig(root=str(root)))


def test_lists_of_another_form(tmp_path: Path, put) -> None:
    put("oxford_pets/images", ["pug_1.jpg"])
    refused("oxford_pets", tmp_path, r"annotations/trainval.txt does not exist.*bmip data prepare")
    lists = tmp_path / "oxford_pets/annotations"
    text(lists / "trainval.txt", "pug_1 one 1 1")
    refused("oxford_pets", tmp_path, r"trainval.txt: 'pug_1 one 1 1' is not of the form `image class species breed`")
    text(lists / "test.txt", "pug_1 1 1 1")
    text(lists / "trainval.txt", "pug_1 2 1 1")
    refused("oxford_pets", tmp_path, "some of the classes 1 to 2 have no image")
    text(lists / "trainval.txt", "pug_1 1 1 1", "boxer_1 1 1 1")
    refused("oxford_pets", tmp_path, "class 1 is 'pug' and 'boxer'")
    (lists / "trainval.txt").write_bytes(b"\xff\xfe\x00")
    refused("oxford_pets", tmp_path, "trainval.txt cannot be read as text")


def test_unknown_classes_in_lists(tmp_path: Path, put) -> None:
    folder = put("fgvc_aircraft/images", 1).parent
    text(folder / "variants.txt", "707-320")
    text(folder / "images_variant_train.txt", "1025794 747-400")
    refused("fgvc_aircraft", tmp_path, "'1025794 747-400' is not of the form")
    folder = put("sun397/SUN397/a/abbey", 1).parent.parent.parent
    text(folder / "ClassName.txt", "/a/abbey")
    text(folder / "Training_01.txt", "/b/bar/x.jpg")
    refused("sun397", tmp_path, "'/b/bar/x.jpg' is not of the form")
    folder = put("ucf101/UCF-101-midframes/Diving", 1).parent.parent / "ucfTrainTestlist"
    text(folder / "classInd.txt", "2 Diving")
    refused("ucf101", tmp_path, "does not number its classes")
    text(folder / "classInd.txt", "1 Diving")
    text(folder / "trainlist01.txt", "Dance/v_Dance_g01.avi 1")
    refused("ucf101", tmp_path, "'Dance/v_Dance_g01.avi 1' is not of the form")


def test_matlab_files(tmp_path: Path, put, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put("oxford_flowers/jpg", ["image_00001.jpg"]).parent
    refused("oxford_flowers", tmp_path, r"cat_to_name.json does not exist: `bmip data prepare oxford_flowers`")
    (folder / "cat_to_name.json").write_text('{"2": "rose"}')
    refused("oxford_flowers", tmp_path, "does not name the classes 1, 2, 3")
    (folder / "cat_to_name.json").write_text('{"1": "rose"}')
    refused("oxford_flowers", tmp_path, "imagelabels.mat does not exist")
    (folder / "imagelabels.mat").write_bytes(b"nothing")
    refused("oxford_flowers", tmp_path, "is no MATLAB file with 'labels'")
    savemat(folder / "imagelabels.mat", {"labels": np.array([[2]])})
    refused("oxford_flowers", tmp_path, "image 1 is of class 2")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    refused("oxford_flowers", tmp_path, r"pip install 'bmip\[matlab\]'")


def test_cars_of_an_unknown_class(tmp_path: Path, put) -> None:
    folder = put("stanford_cars/cars_train", 1).parent
    (folder / "devkit").mkdir()
    savemat(folder / "devkit/cars_meta.mat", {"class_names": np.array([["Audi S4 2012"]], object)})
    annotations(folder / "devkit/cars_train_annos.mat", [("1.jpg", 2), ("2.jpg", 1)])
    refused("stanford_cars", tmp_path, "cars_train_annos.mat has no image with a class of cars_meta.mat")


def test_imagenet_folders(tmp_path: Path, put) -> None:
    put("imagenet/images/train/n01440764", 1)
    refused("imagenet", tmp_path, "images/val does not exist")
    put("imagenet/images/val/n01443537", 1)
    refused("imagenet", tmp_path, r"have not the same classes \(n01440764, n01443537\)")
    put("imagenet/images/val/n01440764", 1)
    put("imagenet/images/train/n01443537", 1)
    refused("imagenet", tmp_path, "classnames.txt does not exist")
    text(tmp_path / "imagenet/classnames.txt", "n01440764 tench")
    refused("imagenet", tmp_path, "holds n01443537, which it does not name")
    text(tmp_path / "imagenet/classnames.txt", "n01440764 ")
    refused("imagenet", tmp_path, "has no name for n01440764")


def test_folders_without_classes(tmp_path: Path) -> None:
    (tmp_path / "dtd/images").mkdir(parents=True)
    refused("dtd", tmp_path, "images has 0 class folders: unpack")
    (tmp_path / "imagenet-rendition/imagenet-r").mkdir(parents=True)
    classnames(tmp_path / "imagenet-rendition")
    refused("imagenet_r", tmp_path, "holds no class folders")
