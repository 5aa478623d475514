"""The public data sets: names, folders, published counts and templates. Importing this module needs no torch."""

from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class PublicSet:
    """One public data set with the folder layout and the numbers of CoOp and its successors."""

    name: str
    """The name in CoOp's configuration files; `--data` takes it."""

    title: str
    """The name that people use."""

    folder: str
    """The data set's folder below the root."""

    images: str
    """The folder of images below `folder`; the paths of a split are relative to it."""

    classes: int
    """The number of classes of published results."""

    counts: tuple[int, int, int] | None = None
    """Published numbers of training, validation and test images; None where they are not certain."""

    split_file: str | None = None
    """File name of the published split below `folder`; None where the data set brings its own split."""

    template: str = "a photo of a {}."
    """CoOp's sentence for zero-shot classification, which MaPLe, PromptSRC and BMIP use too."""

    like_imagenet: bool = False
    """The class names are those of ImageNet, of which two occur twice."""


RECOGNITION = (
    PublicSet("imagenet", "ImageNet", "imagenet", "images", 1000, (1281167, 0, 50000), like_imagenet=True),
    PublicSet(
        "caltech101",
        "Caltech 101",
        "caltech-101",
        "101_ObjectCategories",
        100,
        (4128, 1649, 2465),
        "split_zhou_Caltech101.json",
    ),
    PublicSet(
        "oxford_pets",
        "Oxford-IIIT Pets",
        "oxford_pets",
        "images",
        37,
        (2944, 736, 3669),
        "split_zhou_OxfordPets.json",
        "a photo of a {}, a type of pet.",
    ),
    PublicSet(
        "stanford_cars", "Stanford Cars", "stanford_cars", "", 196, (6509, 1635, 8041), "split_zhou_StanfordCars.json"
    ),
    PublicSet(
        "oxford_flowers",
        "Flowers 102",
        "oxford_flowers",
        "jpg",
        102,
        (4093, 1633, 2463),
        "split_zhou_OxfordFlowers.json",
        "a photo of a {}, a type of flower.",
    ),
    PublicSet(
        "food101",
        "Food 101",
        "food-101",
        "images",
        101,
        (50500, 20200, 30300),
        "split_zhou_Food101.json",
        "a photo of {}, a type of food.",
    ),
    PublicSet(
        "fgvc_aircraft",
        "FGVC Aircraft",
        "fgvc_aircraft",
        "images",
        100,
        (3334, 3333, 3333),
        template="a photo of a {}, a type of aircraft.",
    ),
    PublicSet("sun397", "SUN397", "sun397", "SUN397", 397, (15880, 3970, 19850), "split_zhou_SUN397.json"),
    PublicSet(
        "dtd",
        "Describable Textures",
        "dtd",
        "images",
        47,
        (2820, 1128, 1692),
        "split_zhou_DescribableTextures.json",
        "{} texture.",
    ),
    PublicSet(
        "eurosat",
        "EuroSAT",
        "eurosat",
        "2750",
        10,
        (13500, 5400, 8100),
        "split_zhou_EuroSAT.json",
        "a centered satellite photo of {}.",
    ),
    PublicSet(
        "ucf101",
        "UCF101",
        "ucf101",
        "UCF-101-midframes",
        101,
        (7639, 1898, 3783),
        "split_zhou_UCF101.json",
        "a photo of a person doing {}.",
    ),
)

_V2 = "imagenetv2-matched-frequency-format-val"
_variant = partial(PublicSet, like_imagenet=True)
VARIANTS = (
    _variant("imagenetv2", "ImageNet V2", "imagenetv2", _V2, 1000, (0, 0, 10000)),
    _variant("imagenet_sketch", "ImageNet Sketch", "imagenet-sketch", "images", 1000, (0, 0, 50889)),
    _variant("imagenet_a", "ImageNet A", "imagenet-adversarial", "imagenet-a", 200, (0, 0, 7500)),
    _variant("imagenet_r", "ImageNet R", "imagenet-rendition", "imagenet-r", 200, (0, 0, 30000)),
)


def _seen_from_above(name: str, title: str, images: str, classes: int, split: str) -> PublicSet:
    folder, _, below = images.partition("/")
    return PublicSet(name, title, folder, below, classes, split_file=f"split_chen_{split}.json")


REMOTE_SENSING = (
    _seen_from_above("aid", "AID", "AID/AID_dataset", 30, "aid"),
    _seen_from_above("mlrsnet", "MLRSNet", "MLRSNet/Images", 46, "mlrsnet"),
    _seen_from_above("optimal", "OPTIMAL-31", "OPTIMAL/Images", 31, "optimal"),
    _seen_from_above("patternnet", "PatternNet", "PatternNet/images", 38, "patternnet"),
    _seen_from_above("resisc45", "RESISC45", "RESISC45/images", 45, "RESISC45"),
    _seen_from_above("rsicb128", "RSI-CB128", "RSICB128/images", 45, "RSICB128"),
    _seen_from_above("rsicb256", "RSI-CB256", "RSICB256/images", 35, "RSICB256"),
    _seen_from_above("rsicd", "RSICD", "RSICD/RSICD", 31, "RSICD"),
    _seen_from_above("whurs19", "WHU-RS19", "WHURS19/images", 19, "WHURS19"),
)

PUBLIC = {known.name: known for known in (*RECOGNITION, *VARIANTS, *REMOTE_SENSING)}
"""Every public data set by its name."""
