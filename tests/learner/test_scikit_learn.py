"""The learner in scikit-learn's own tools."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.utils.validation import check_is_fitted

from bmip import PromptLearner
from tests.learner.conftest import labelled_paths, small


def test_clones_have_the_same_arguments_and_nothing_learned(backbone: Path, drawn: Path) -> None:
    learner = small("bmip", backbone, lr=0.3).fit(*labelled_paths(drawn))
    copy = clone(learner)
    assert copy.get_params() == learner.get_params() and not hasattr(copy, "model_")
    assert is_classifier(learner)
    check_is_fitted(learner)
    assert copy.set_params(lr=0.5, method="maple") is copy
    assert (copy.lr, copy.method, learner.lr) == (0.5, "maple", 0.3)


@pytest.mark.parametrize("form", [list, np.array, lambda paths: np.stack([np.asarray(Image.open(p)) for p in paths])])
def test_cross_validation_is_that_of_single_folds(backbone: Path, drawn: Path, form) -> None:
    paths, labels = labelled_paths(drawn)
    images, folds = form(paths), StratifiedKFold(2, shuffle=True, random_state=0)
    found = cross_val_score(small("bmip", backbone), images, labels, cv=folds, error_score="raise")
    gold = []
    for train, test in folds.split(paths, labels):
        learner = small("bmip", backbone).fit([paths[k] for k in train], [labels[k] for k in train])
        gold.append(np.mean(learner.predict([paths[k] for k in test]) == np.array(labels)[test]))
    assert found == pytest.approx(gold)


def test_probabilities_can_be_scored(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    train, test = paths[::2], paths[1::2]
    learner, folds = small("maple", backbone), [(range(0, 40, 2), range(1, 40, 2))]
    (found,) = cross_val_score(learner, paths, labels, cv=folds, scoring="neg_log_loss", error_score="raise")
    shares = learner.fit(train, labels[::2]).predict_proba(test)
    assert -found == pytest.approx(log_loss(labels[1::2], shares, labels=learner.classes_), rel=1e-5)


def test_a_search_over_arguments(backbone: Path, drawn: Path) -> None:
    grid = {"lr": [1e-5, 0.2], "options": [{"depth": 1}, {"depth": 3}]}
    searched = GridSearchCV(PromptLearner("maple", backbone=backbone, shots=4, epochs=2, device="cpu"), grid, cv=2)
    searched.fit(*labelled_paths(drawn))
    assert len(searched.cv_results_["params"]) == 4 and np.isfinite(searched.cv_results_["mean_test_score"]).all()
    assert searched.best_estimator_.get_params()["lr"] in grid["lr"]
    assert searched.best_estimator_.predict(drawn / "red").shape == (10,)
