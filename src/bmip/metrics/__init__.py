"""Metrics as pure functions. Accuracies and areas are in percent."""

from bmip.metrics.accuracy import (
    Count,
    accuracy,
    accuracy_interval,
    confusion_matrix,
    macro_accuracy,
    macro_f1,
    per_class_accuracy,
    ranks,
    top_accuracy,
)
from bmip.metrics.aggregates import (
    interquartile_mean,
    mean_score,
    median_score,
    performance_profile,
    probability_of_improvement,
)
from bmip.metrics.balance import harmonic_mean, harmonic_mean_of_averages, mean_of_harmonic_means
from bmip.metrics.bootstrap import bootstrap
from bmip.metrics.calibration import calibration_error
from bmip.metrics.detection import auroc, false_positives, openworld_auc
from bmip.metrics.open_world import OpenWorld, open_world
from bmip.metrics.paired import Comparison, compare, holm
from bmip.metrics.seeds import Summary, summarise
from bmip.metrics.student_t import student_p, student_t

__all__ = [
    "Comparison",
    "Count",
    "OpenWorld",
    "Summary",
    "accuracy",
    "accuracy_interval",
    "auroc",
    "bootstrap",
    "calibration_error",
    "compare",
    "confusion_matrix",
    "false_positives",
    "harmonic_mean",
    "harmonic_mean_of_averages",
    "holm",
    "interquartile_mean",
    "macro_accuracy",
    "macro_f1",
    "mean_of_harmonic_means",
    "mean_score",
    "median_score",
    "open_world",
    "openworld_auc",
    "per_class_accuracy",
    "performance_profile",
    "probability_of_improvement",
    "ranks",
    "student_p",
    "student_t",
    "summarise",
    "top_accuracy",
]
