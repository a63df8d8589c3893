"""The loss curve: a drawing of our own, so that it never changes its size and can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from pages.look import text

WIDE, HIGH = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 40
SMOOTHED = 0.1  # of all points are in the mean that the line shows

Points = Sequence[tuple[int, float]]  # (step, loss)


def draw(losses: Points, validation: Points = (), steps: int | None = None) -> str:
    """An SVG of the losses so far; the horizontal axis is the whole training where its `steps` are known."""
    last = max([steps or 1, *(step for step, _ in losses), *(step for step, _ in validation)])
    low, high = _range([loss for _, loss in (*losses, *validation)])
    scale = _Scale(last, low, high)
    parts = [scale.axes(), _line(scale, losses, "tk-faint"), _line(scale, _smooth(losses), "tk-loss")]
    if validation:
        parts.append(_line(scale, validation, "tk-validation"))
        parts += [
            f'<circle class="tk-mark" cx="{scale.x(step):.1f}" cy="{scale.y(loss):.1f}" r="3.5"/>'
            for step, loss in validation
        ]
    if not losses:
        parts.append(
            f'<text class="tk-waiting" x="{WIDE / 2}" y="{HIGH / 2 - 22}">no step has been logged yet</text>'
        )
    return (
        f'<figure class="tk-curve"><svg viewBox="0 0 {WIDE} {HIGH}" role="img" '
        f'aria-label="{text(_words(losses, validation))}">'
        f"{''.join(parts)}</svg><figcaption>{_legend(bool(validation))}</figcaption></figure>"
    )


class _Scale:
    def __init__(self, last: int, low: float, high: float):
        self.last, self.low, self.high = last, low, high

    def x(self, step: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * step / self.last

    def y(self, loss: float) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (self.high - loss) / (self.high - self.low)

    def axes(self) -> str:
        """Grid lines, numbers and names."""
        made = []
        for n in range(5):
            loss = self.low + (self.high - self.low) * n / 4
            y = self.y(loss)
            made.append(f'<line class="tk-grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            made.append(f'<text class="tk-tick tk-end" x="{LEFT - 6}" y="{y + 4:.1f}">{loss:.3g}</text>')
        for n in range(min(4, self.last) + 1):
            step = round(self.last * n / min(4, self.last))
            made.append(f'<text class="tk-tick" x="{self.x(step):.1f}" y="{HIGH - BOTTOM + 17}">{step:,}</text>')
        made.append(f'<text class="tk-name" x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 6}">step</text>')
        middle = (TOP + HIGH - BOTTOM) / 2
        made.append(f'<text class="tk-name" transform="translate(13 {middle}) rotate(-90)">loss</text>')
        return "".join(made)


def _range(losses: Sequence[float]) -> tuple[float, float]:
    """The bounds of the vertical axis, never empty."""
    if not losses:
        return 0.0, 1.0
    low, high = min(losses), max(losses)
    room = max((high - low) * 0.08, abs(high) * 0.02, 0.01)
    return max(0.0, low - room), high + room


def _line(scale: _Scale, points: Points, name: str) -> str:
    drawn = " ".join(f"{scale.x(step):.1f},{scale.y(loss):.1f}" for step, loss in points)
    return f'<polyline class="{name}" points="{drawn}"/>' if drawn else ""


def _smooth(losses: Points) -> list[tuple[int, float]]:
    """The mean of each loss and as many before as after it; at the ends of fewer, but never of one alone."""
    most = round(len(losses) * SMOOTHED / 2)
    made = []
    for at, (step, _) in enumerate(losses):
        reach = max(min(most, at, len(losses) - 1 - at), min(most, 2))
        window = [loss for _, loss in losses[max(0, at - reach) : at + reach + 1]]
        made.append((step, sum(window) / len(window)))
    return made


def _words(losses: Points, validation: Points) -> str:
    """What the picture shows, for whoever does not see it."""
    if not losses:
        return "Training loss: no step has been logged yet"
    (first, before), (last, after) = losses[0], losses[-1]
    held = f"; validation loss {validation[-1][1]:.3f} at step {validation[-1][0]}" if validation else ""
    return f"Training loss {before:.3f} at step {first}, {after:.3f} at step {last}{held}"


def _legend(validation: bool) -> str:
    held = ' <span class="tk-key tk-key-validation"></span> validation' if validation else ""
    return f'<span class="tk-key tk-key-loss"></span> training, smoothed{held}'
