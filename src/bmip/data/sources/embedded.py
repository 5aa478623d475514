"""A data set of scenes as a `Dataset`."""

from bmip.class_names import ClassNames
from bmip.data.dataset import ArrayImages, Dataset, Split
from bmip.data.transforms import Augmentation
from bmip.embedded.scenes.sceneset import SceneSet


def embedded_dataset(source: SceneSet, template: str = "") -> Dataset:
    """The data set with all its images in memory; `template` replaces the source's own.

    A variant of another set has test images alone.
    """
    train, val, test = (_split(source, part) for part in ("train", "val", "test"))
    classes = ClassNames(source.class_names, template or source.template, source.templates)
    crops = Augmentation(scale=source.crop)
    return Dataset(source.name, classes, train, val if len(val) else None, test, augmentation=crops)


def _split(source: SceneSet, part: str) -> Split:
    images, labels = source.split(part)
    return Split(ArrayImages(images, f"{source.name}/{part}"), tuple(labels.tolist()))
