"""The public data sets: names, folders, published counts and templates. Importing this module needs no torch."""

from dataclasses import dataclass


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

    counts: tuple[int, int, int] | None
    """Published numbers of training, validation and test images; None where they are not certain."""

    split_file: str | None
    """File name of the published split below `folder`; None where the data set brings its own split."""

    template: str
    """The sentence of the zero-shot classifier."""

    @property
    def like_imagenet(self) -> bool:
        """Whether the class names are those of ImageNet, of which two occur twice."""
        return self.name.startswith("imagenet")


TEMPLATES = {
    "oxford_pets": "a photo of a {}, a type of pet.",
    "oxford_flowers": "a photo of a {}, a type of flower.",
    "food101": "a photo of {}, a type of food.",
    "fgvc_aircraft": "a photo of a {}, a type of aircraft.",
    "dtd": "{} texture.",
    "eurosat": "a centered satellite photo of {}.",
    "ucf101": "a photo of a person doing {}.",
}
"""CoOp's sentences for zero-shot classification, which its successors use too; other sets have that of ImageNet."""


def _known(
    name: str,
    title: str,
    place: str,
    classes: int,
    counts: tuple[int, int, int] | None = None,
    split: str | None = None,
) -> PublicSet:
    """The data set whose images lie in `place` (folder/images) and whose published split is `split_{split}.json`."""
    folder, _, images = place.partition("/")
    split_file = None if split is None else f"split_{split}.json"
    return PublicSet(name, title, folder, images, classes, counts, split_file, TEMPLATES.get(name, "a photo of a {}."))


RECOGNITION = (
    _known("imagenet", "ImageNet", "imagenet/images", 1000, (1281167, 0, 50000)),
    _known("caltech101", "Caltech 101", "caltech-101/101_ObjectCategories", 100, (4128, 1649, 2465), "zhou_Caltech101"),
    _known("oxford_pets", "Oxford-IIIT Pets", "oxford_pets/images", 37, (2944, 736, 3669), "zhou_OxfordPets"),
    _known("stanford_cars", "Stanford Cars", "stanford_cars", 196, (6509, 1635, 8041), "zhou_StanfordCars"),
    _known("oxford_flowers", "Flowers 102", "oxford_flowers/jpg", 102, (4093, 1633, 2463), "zhou_OxfordFlowers"),
    _known("food101", "Food 101", "food-101/images", 101, (50500, 20200, 30300), "zhou_Food101"),
    _known("fgvc_aircraft", "FGVC Aircraft", "fgvc_aircraft/images", 100, (3334, 3333, 3333)),
    _known("sun397", "SUN397", "sun397/SUN397", 397, (15880, 3970, 19850), "zhou_SUN397"),
    _known("dtd", "Describable Textures", "dtd/images", 47, (2820, 1128, 1692), "zhou_DescribableTextures"),
    _known("eurosat", "EuroSAT", "eurosat/2750", 10, (13500, 5400, 8100), "zhou_EuroSAT"),
    _known("ucf101", "UCF101", "ucf101/UCF-101-midframes", 101, (7639, 1898, 3783), "zhou_UCF101"),
)

VARIANTS = (
    _known("imagenetv2", "ImageNet V2", "imagenetv2/imagenetv2-matched-frequency-format-val", 1000, (0, 0, 10000)),
    _known("imagenet_sketch", "ImageNet Sketch", "imagenet-sketch/images", 1000, (0, 0, 50889)),
    _known("imagenet_a", "ImageNet A", "imagenet-adversarial/imagenet-a", 200, (0, 0, 7500)),
    _known("imagenet_r", "ImageNet R", "imagenet-rendition/imagenet-r", 200, (0, 0, 30000)),
)

REMOTE_SENSING = (
    _known("aid", "AID", "AID/AID_dataset", 30, split="chen_aid"),
    _known("mlrsnet", "MLRSNet", "MLRSNet/Images", 46, split="chen_mlrsnet"),
    _known("optimal", "OPTIMAL-31", "OPTIMAL/Images", 31, split="chen_optimal"),
    _known("patternnet", "PatternNet", "PatternNet/images", 38, split="chen_patternnet"),
    _known("resisc45", "RESISC45", "RESISC45/images", 45, split="chen_RESISC45"),
    _known("rsicb128", "RSI-CB128", "RSICB128/images", 45, split="chen_RSICB128"),
    _known("rsicb256", "RSI-CB256", "RSICB256/images", 35, split="chen_RSICB256"),
    _known("rsicd", "RSICD", "RSICD/RSICD", 31, split="chen_RSICD"),
    _known("whurs19", "WHU-RS19", "WHURS19/images", 19, split="chen_WHURS19"),
)

PUBLIC = {known.name: known for known in (*RECOGNITION, *VARIANTS, *REMOTE_SENSING)}
"""Every public data set by its name."""
