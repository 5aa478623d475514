"""Metrics as pure functions. Accuracies and areas are in percent."""

from bmip.metrics.accuracy import (
    Count,
    accuracy,
    confusion_matrix,
    macro_accuracy,
    macro_f1,
    per_class_accuracy,
    ranks,
    top_accuracy,
)
from bmip.metrics.balance import harmonic_mean, harmonic_mean_of_averages, mean_of_harmonic_means
from bmip.metrics.calibration import calibration_error
from bmip.metrics.detection import auroc, false_positives, openworld_auc
from bmip.metrics.open_world import OpenWorld, open_world
from bmip.metrics.seeds import Comparison, Summary, compare, student_t, summarise

__all__ = [
    "Comparison",
    "Count",
    "OpenWorld",
    "Summary",
    "accuracy",
    "auroc",
    "calibration_error",
    "compare",
    "confusion_matrix",
    "false_positives",
    "harmonic_mean",
    "harmonic_mean_of_averages",
    "macro_accuracy",
    "macro_f1",
    "mean_of_harmonic_means",
    "open_world",
    "openworld_auc",
    "per_class_accuracy",
    "ranks",
    "student_t",
    "summarise",
    "top_accuracy",
]
