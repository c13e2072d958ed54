"""A comparison of two versions in one sentence. Names are told as they are: whoever shows it makes them safe."""

from __future__ import annotations

from service.comparison.losses import Loss
from service.comparison.verdict import Comparison, Standing

_NAMES = {Loss.ERROR_RATE: "error rate", Loss.BRIER: "Brier score", Loss.MAE: "mean absolute error"}


def loss_named(loss: Loss) -> str:
    """How people call it."""
    return _NAMES[loss]


def sentence_of(one: Comparison, version: str, against: str) -> str:
    """The verdict, and what it rests on."""
    if one.loss is None:
        return f"not known yet: no hour has labels of both versions, {version} and {against}"
    rows = f"{one.rows:,} and {one.other_rows:,} labels"
    numbers = [n for n in (one.mean, one.other_mean, one.low, one.high, one.margin) if n is not None]
    if len(numbers) < 5:
        large = ", or wrong by more than can be added up" if one.loss is Loss.MAE else ""
        return f"not known yet: {rows} of {version} and {against} are too few{large}"
    said, margin = _rates(numbers) if one.loss is Loss.ERROR_RATE else _losses(numbers)
    name, basis = loss_named(one.loss), f"{said}, of {rows}"
    match one.standing:
        case Standing.WORSE | Standing.BETTER:
            return f"{version} is {one.standing.value} than {against}: its {name} is {basis}"
        case Standing.ALIKE:
            return f"no difference larger than {margin} between {version} and {against}: {name} {basis}"
    return f"not known yet{_needed(one)}: {name} of {version} and {against} {basis}"


def _rates(numbers: list[float]) -> tuple[str, str]:
    """Means and interval, and the margin; in points, since a percentage would be taken for a share of the rate."""
    mean, other_mean, low, high, margin = (100 * number for number in numbers)
    said = f"{mean:.2f}% against {other_mean:.2f}%, a difference of {low:+.2f} to {high:+.2f} points"
    return said, f"{margin:.3g} points"


def _losses(numbers: list[float]) -> tuple[str, str]:
    mean, other_mean, low, high, margin = numbers
    return f"{mean:.4g} against {other_mean:.4g}, a difference of {low:+.4g} to {high:+.4g}", f"{margin:.4g}"


def _needed(one: Comparison) -> str:
    if one.labels_needed is None or one.labels_at_most is None:
        return ""
    about, most = _about(one.labels_needed), _about(max(one.labels_needed, one.labels_at_most))
    if about == most:
        return f", about {about} more labels are needed"
    return f", about {about} more labels are needed if the difference stays as it is, {most} at the most"


def _about(labels: int) -> str:
    """Two digits of it."""
    return f"{int(float(f'{labels:.1e}')):,}"
