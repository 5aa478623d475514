"""The function that lists the images of each public data set from the folders and lists of its archive."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bmip.data.public import imagenet, lists, matlab
from bmip.data.public.folders import class_folders, remote_sensing
from bmip.data.public.registry import REMOTE_SENSING
from bmip.data.sources.listing import Listing

CALTECH = {"airplanes": "airplane", "Faces": "face", "Leopards": "leopard", "Motorbikes": "motorbike"}
EUROSAT = {
    "AnnualCrop": "Annual Crop Land",
    "HerbaceousVegetation": "Herbaceous Vegetation Land",
    "Highway": "Highway or Road",
    "Industrial": "Industrial Buildings",
    "Pasture": "Pasture Land",
    "PermanentCrop": "Permanent Crop Land",
    "Residential": "Residential Buildings",
    "SeaLake": "Sea or Lake",
}

READERS: dict[str, Callable[[Path, Path], Listing]] = {
    "imagenet": imagenet.imagenet,
    "caltech101": partial(class_folders, renamed=CALTECH, ignored=("BACKGROUND_Google", "Faces_easy")),
    "oxford_pets": lists.pets,
    "stanford_cars": matlab.cars,
    "oxford_flowers": matlab.flowers,
    "food101": class_folders,
    "fgvc_aircraft": lists.aircraft,
    "sun397": lists.sun397,
    "dtd": class_folders,
    "eurosat": partial(class_folders, renamed=EUROSAT),
    "ucf101": lists.ucf101,
    "imagenetv2": imagenet.by_number,
    "imagenet_sketch": imagenet.by_wordnet_id,
    "imagenet_a": imagenet.by_wordnet_id,
    "imagenet_r": imagenet.by_wordnet_id,
    **{known.name: remote_sensing for known in REMOTE_SENSING},
}
"""Name of a data set -> function of the data set's folder and of its folder of images."""
