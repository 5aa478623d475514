"""`PromptLearner`: prompts that are trained and used with scikit-learn's habits."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.data.sampling import sample_few_shot
from bmip.evaluation.calibration_files import store_calibration, stored_calibration
from bmip.evaluation.evaluate import evaluate
from bmip.evaluation.features import picture_features
from bmip.evaluation.logits import batch_logits
from bmip.evaluation.pictures import squares
from bmip.evaluation.predict import classes_of
from bmip.experiments.method_facts import method_facts
from bmip.learner.arguments import Arguments
from bmip.learner.given import evaluated_data, given_pictures, training_data
from bmip.learner.model_card import Measured, model_card
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.system.device import pick_device
from bmip.training.checkpoint import from_pretrained
from bmip.training.history import History
from bmip.training.hub import located, push
from bmip.training.progress import progress_bar
from bmip.training.run import stored_history, train_without_test

Names = Sequence[str] | ClassNames | None
Classify = Callable[[Tensor], list[Tensor]]


class NotTrainedError(ValueError):
    """A learner that was asked for answers before it was trained."""


class PromptLearner(Arguments):
    """A method that is trained on a few images of each class, and then tells any classes apart.

    It has the habits of scikit-learn's classifiers (1.6 or newer), so it works in `cross_val_score` and in
    `GridSearchCV`. The arguments are kept as they are, and `fit` checks them.

    Images are a list of paths, Pillow images, numpy arrays (height, width, 3) or tensors (3, height, width), or one
    array or tensor with four axes; or a data frame with a column `path` or `image`; or a folder. Labels are class
    names. Where no labels are given, a data frame has them in its column `label`, and a folder has a folder of images
    for each class; the name of a data set, and any other data that `bmip.load_dataset` takes, will do as well.
    """

    model_: PromptedCLIP
    """The trained model."""

    history_: History | None
    """How training went; None for prompts that were loaded from elsewhere than the folder of their run."""

    remarks_: tuple[str, ...]
    """Sentences on the data that a person should read, such as classes with few images."""

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks for: it is a classifier."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        shapes = InputTags(one_d_array=True, two_d_array=False, string=True)
        return Tags("classifier", TargetTags(required=False), classifier_tags=ClassifierTags(), input_tags=shapes)

    def fit(self, images: Any, labels: Any = None, **params: Any) -> PromptLearner:
        """Draws the shots and trains on them; returns the learner itself.

        Args:
            images: the images; see above.
            labels: their class names, where `images` has none itself.
            params: arguments of the constructor, such as `shots` and `seed`, that `set_params` changes first.

        Raises:
            DataError: a ValueError; for images that cannot be read or have no labels.
            ValueError: for a method, an option or a setting that does not exist or does not fit.
            TrainingError: where training diverges.
        """
        self.set_params(**params)
        dataset, data = training_data(images, labels, self.read)
        spec = self.spec(data)
        drawn = sample_few_shot(dataset, spec.shots, spec.data_seed)
        clip = load_clip(spec.backbone).to(pick_device(self.device))
        model = build_model(spec.method, dict(spec.options), clip, drawn.classes, seed=spec.init_seed)
        with progress_bar(f"training {spec.method_name}") if self.progress else nullcontext() as bar:
            history = train_without_test(model, spec, drawn, progress=bar)
        self._take(model, history, drawn.remarks())
        return self

    def predict(self, images: Any, *, classes: Names = None) -> np.ndarray:
        """The name of the most probable class of each image, as an array of text.

        Without `classes` among those of training (or of `with_classes`); any other names will do as well. Raises
        NotTrainedError before training, DataError for images that cannot be read, and ValueError for names that are
        empty, too long or equal, and for classes that the method cannot know.
        """
        asked = self._asked(classes)
        return np.array(asked[0].names)[self._probabilities(images, *asked).argmax(-1)]

    def predict_proba(self, images: Any, *, classes: Names = None) -> Float[np.ndarray, "image class"]:
        """The probability of each class for each image, in the order of the classes. Raises as `predict` does."""
        return self._probabilities(images, *self._asked(classes))

    def score(self, images: Any, labels: Any = None, *, classes: Names = None) -> float:
        """The share of the images whose class is found, in 0..1.

        Of a data set, or a folder with a split, the test images count; of a folder without one, all its images. Raises
        as `predict` does, and DataError for a label that is none of the classes.
        """
        asked, _ = self._asked(classes)
        return evaluate(self._trained(), evaluated_data(images, labels, self.read, asked), asked).accuracy / 100

    def encode_image(self, images: Any) -> Float[np.ndarray, "image out"]:
        """Normalised features of the images, read at the class token. Raises as `predict` does.

        What a read-out reads beside it (MMRL, MMRL++) and what a head makes of it (Tip-Adapter, LP++, linear probe) are
        in `predict_proba` alone.
        """
        model = self._trained()
        found = [features for _, features in picture_features(model, given_pictures(images))]
        return torch.cat([torch.empty(0, model.clip.config.out), *found]).numpy()

    def encode_text(self, classes: Names = None) -> Float[np.ndarray, "class out"]:
        """Normalised features of the classes. Their products with `encode_image`, times `scale`, are the logits
        of methods without a head or a read-out.

        Raises as `predict` does, and ValueError for a method whose class features differ between images.
        """
        model = self._trained()
        return model.class_features(self._asked(classes)[0])[0].float().cpu().numpy()

    def with_classes(self, classes: Sequence[str] | ClassNames) -> PromptLearner:
        """The same trained learner for other classes, whose features are computed once. Raises as `predict` does."""
        model = self._trained()
        chosen = classes_of(model, classes)
        other = copy.copy(self)
        other._classes = chosen, model.classifiers([chosen])
        return other

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes prompts.safetensors and prompts.json, which hold nothing of CLIP. The folder is created if need be.

        A threshold that was chosen for the prompts (`bmip calibrate`) goes with them.
        """
        self._trained().save_pretrained(folder)
        if self._calibration is not None:
            store_calibration(Path(folder), self._calibration)

    def push_to_hub(
        self, repository: str, *, test: Any = None, labels: Any = None, private: bool = False, token: str | None = None
    ) -> str:
        """Writes the prompts to a repository on the Hugging Face hub, with a model card, and returns its address.

        A threshold that was chosen for the prompts (`bmip calibrate`) goes with them.

        Args:
            repository: such as "someone/pets"; it is created if need be.
            test: images whose accuracy the card reports beside that of CLIP without prompts, as `score` takes them.
            labels: their class names, where `test` is a list of images.
            private: whether a new repository is private.
            token: of the hub; by default the one that `hf auth login` has stored.

        Raises:
            ValueError: for a name that is none, and where the hub refuses or cannot be reached.
        """
        model, measured = self._trained(), []
        if test is not None:
            classes = self._classes[0]
            split = evaluated_data(test, labels, self.read, classes)
            frozen = build_model("zero-shot", {}, model.clip, classes, seed=0)
            told = f"test images of {Path(test).name}" if isinstance(test, (str, Path)) else "images that were given"
            measured = [Measured(told, *(evaluate(one, split, classes) for one in (model, frozen)))]
        trained, remembered = _numbers(model)
        card = model_card(
            repository,
            model.described().shareable(),
            summary=method_facts(self.method).summary,
            trainable=trained,
            remembered=remembered,
            in_epochs=model.head is None or model.head.trained,
            any_classes=model.trained_on is None,
            history=self.history_,
            measured=measured,
        )
        return push(self.save_pretrained, repository, card, private=private, token=token)

    @classmethod
    def from_pretrained(
        cls, place: str | Path, *, backbone: str | Path | None = None, device: str = "auto"
    ) -> PromptLearner:
        """The learner that `save_pretrained` or `bmip train` wrote, with its arguments, ready to predict.

        Args:
            place: a folder with prompts.safetensors and prompts.json (a run folder is one), either file, or a
                repository on the hub, such as "someone/pets".
            backbone: where the CLIP lies, if no longer where it was in training.
            device: as in the constructor.

        Raises:
            CheckpointError: a ValueError; as `bmip.from_pretrained` says.
        """
        found = located(place)
        model = from_pretrained(found, backbone, device=pick_device(device))
        spec = model.described().spec
        learner = cls(
            spec.method_name,
            backbone=model.clip.source,
            shots=spec.shots,
            seed=spec.data_seed,
            init_seed=spec.init_seed,
            preset=spec.preset,
            options=dict(spec.options),
            read=spec.read,
            device=device,
            **dict(spec.training),  # pyright: ignore[reportArgumentType]
        )
        learner._take(model, stored_history(model, found), (), stored_calibration(found))
        return learner

    @property
    def classes_(self) -> np.ndarray:
        """The names of the classes, in the order of the columns of `predict_proba`."""
        self._trained()
        return np.array(self._classes[0].names)

    @property
    def scale(self) -> float:
        """What the products of features are multiplied by to give logits."""
        return float(self._trained().clip.scale)

    def _take(
        self, model: PromptedCLIP, history: History | None, remarks: tuple[str, ...], calibration: str | None = None
    ) -> None:
        self.model_, self.history_, self.remarks_, self._calibration = model, history, remarks, calibration
        self._classes: tuple[ClassNames, Classify] = model.classes, model.classifiers([model.classes])

    def _trained(self) -> PromptedCLIP:
        if not hasattr(self, "model_"):
            raise NotTrainedError(
                "this learner is not trained: call fit(...), or take PromptLearner.from_pretrained(...)"
            )
        return self.model_

    def _asked(self, classes: Names) -> tuple[ClassNames, Classify]:
        model = self._trained()
        if classes is None:
            return self._classes
        chosen = classes_of(model, classes)
        return chosen, model.classifiers([chosen])

    def _probabilities(self, images: Any, classes: ClassNames, classify: Classify) -> Float[np.ndarray, "image class"]:
        model = self._trained()
        batches = squares(given_pictures(images), model.clip.config.image_size)
        found = [
            logits.float().softmax(-1) for _, (logits,) in batch_logits(model, batches, [classes], classify=classify)
        ]
        return torch.cat([torch.empty(0, len(classes)), *found]).numpy()


def _numbers(model: PromptedCLIP) -> tuple[int, int]:
    """How many numbers were trained, and how many are features of training images: those of a head that is not trained,
    and that had no room for them before it saw images.
    """
    held = sum(tensor.numel() for tensor in model.trainable().values())
    if model.head is None or model.head.trained:
        return held, 0
    said = model.described()
    before = build_model(said.spec.method, dict(said.options), model.clip, model.classes, seed=0).trainable()
    trained = sum(tensor.numel() for tensor in before.values())
    return trained, held - trained
