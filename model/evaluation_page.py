"""An evaluation for people: a table for the terminal, and one HTML page with plots."""

from __future__ import annotations

import html
import io
import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation import Evaluation
from model.metrics import Metrics, calibration_bins, exceeding, labelled_positive
from schemas.errors import UserError
from schemas.score import LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("", "reviews", "positive", "accuracy", "F1", "ROC AUC", "log loss", "calibration error")
HISTOGRAM_BINS = 50

_PAGE = string.Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 15px/1.4 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .25em .8em; text-align: right; vertical-align: top }
tr { border-bottom: 1px solid #ddd }
td:first-child, th:first-child, td.text { text-align: left }
td.text { white-space: pre-wrap; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto }
</style>
<h1>$title</h1>
<p>$about</p>
$numbers
$plots
<h2>The worst mistakes</h2>
$mistakes
</html>
""")


def check_matplotlib() -> None:
    """Checks that plots can be made, before time is spent.

    Raises:
        UserError: they can't.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UserError(
            "plots need the package matplotlib: pip install 'review-scoring[evaluate]'"
        ) from None


def table(evaluation: Evaluation) -> str:
    """The numbers as lines of text."""
    rows = [COLUMNS, *_rows(evaluation)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *cells in rows:
        aligned = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([f"{first:<{widths[0]}}", *aligned]).rstrip())
    return "\n".join(lines)


def page(evaluation: Evaluation, facts: Mapping[str, Any]) -> str:
    """The numbers, plots and mistakes as a page that needs no other file.

    Args:
        evaluation: what was found.
        facts: `model`, its identity; `data`, names and hashes; `held_out`, whether only reviews
            that the model had not seen count.
    """
    names = ", ".join(f"{one['name']} (sha256 {one['sha256'][:12]})" for one in facts["data"])
    part = "the held-out part of " if facts["held_out"] else ""
    mistakes = [
        (
            f"{mistake.probability:.3f}",
            LABELS[mistake.label],
            mistake.source,
            f"{mistake.tokens}",
            mistake.text,
        )
        for mistake in evaluation.mistakes
    ]
    return _PAGE.substitute(
        title=html.escape(f"Evaluation of {facts['model']}"),
        about=html.escape(
            f"Measured on {part}{names}. Labelled positive: probabilities of "
            f"{evaluation.threshold} and above."
        ),
        numbers=_html_table(COLUMNS, _rows(evaluation)),
        plots=plots(evaluation),
        mistakes=_html_table(("probability", "label", "source", "tokens", "text"), mistakes),
    )


def plots(evaluation: Evaluation) -> str:
    """ROC and precision-recall curves, calibration, histogram and confusion matrix, as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    probabilities, labels = evaluation.probabilities, evaluation.labels
    drawn = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "evaluation"}):  # the same numbers give the same page
        figure = Figure(figsize=(14, 8.5), layout="constrained")
        axes = figure.subplots(2, 3).flat
        _curves(axes[0], axes[1], exceeding(probabilities, labels), evaluation.overall)
        _calibration(axes[2], *calibration_bins(probabilities, labels))
        _histogram(axes[3], evaluation)
        _confusion(axes[4], evaluation)
        axes[5].set_axis_off()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]


def _curves(roc: Axes, precision_recall: Axes, counts: np.ndarray, overall: Metrics) -> None:
    found, wrong = counts[:, 0], counts[:, 1]
    recall = found / max(found[-1], 1)
    roc.plot(wrong / max(wrong[-1], 1), recall)
    roc.plot([0, 1], [0, 1], color="grey", linewidth=0.5)
    roc.set(title="ROC", xlabel="share of negative reviews taken for positive")
    roc.set(ylabel="share of positive reviews found")
    precision = np.divide(found, found + wrong, out=np.ones(len(found)), where=found + wrong > 0)
    precision_recall.plot(recall, precision)
    precision_recall.axhline(overall.positive_share, color="grey", linewidth=0.5)
    precision_recall.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    precision_recall.set(ylim=(0, 1.02))


def _calibration(axes: Axes, means: np.ndarray, shares: np.ndarray, counts: np.ndarray) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.5)
    axes.plot(means, shares)
    axes.scatter(means, shares, s=200 * counts / counts.max())
    axes.set(title="Calibration", xlabel="mean probability", ylabel="share of positive reviews")


def _histogram(axes: Axes, evaluation: Evaluation) -> None:
    parts = [evaluation.probabilities[evaluation.labels == n] for n in range(len(LABELS))]
    axes.hist(parts, bins=HISTOGRAM_BINS, range=(0, 1), stacked=True, label=LABELS)
    axes.axvline(evaluation.threshold, color="grey", linewidth=0.5)
    axes.set(title="Probabilities", xlabel="probability of being positive", ylabel="reviews")
    axes.legend(title="label")


def _confusion(axes: Axes, evaluation: Evaluation) -> None:
    chosen = labelled_positive(evaluation.probabilities, evaluation.threshold)
    right = evaluation.labels.astype(int)
    counts = np.bincount(2 * right + chosen, minlength=4).reshape(2, 2)
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        axes.text(column, row, f"{count:,}", ha="center", color="white" if dark else "black")
    axes.set(title="Confusion matrix", xlabel="label given", ylabel="label in the data")
    axes.set(xticks=range(2), xticklabels=LABELS, yticks=range(2), yticklabels=LABELS)


def _rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    lengths = {f"{name} word pieces": one for name, one in evaluation.by_length.items()}
    named = {"all": evaluation.overall, **evaluation.by_source, **lengths}
    return [(name, *_cells(one)) for name, one in named.items()]


def _cells(metrics: Metrics) -> tuple[str, ...]:
    return (
        f"{metrics.reviews:,}",
        f"{metrics.positive_share:.1%}",
        f"{metrics.accuracy:.2%}",
        f"{metrics.f1:.4f}",
        "-" if metrics.roc_auc is None else f"{metrics.roc_auc:.4f}",
        f"{metrics.log_loss:.4f}",
        f"{metrics.calibration_error:.4f}",
    )


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, columns, row))}</tr>\n" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}</table>"


def _cell(column: str, value: str) -> str:
    return f"<td{' class=text' if column == 'text' else ''}>{html.escape(value)}</td>"
