"""`loss.png`: the training loss over the steps, with the validation points where there are any."""

from __future__ import annotations

from pathlib import Path

from tunekit_hub.records import TrainResult

NAME = "loss.png"
SMOOTHED = 0.1  # of all points are in the mean that the line shows


def draw(done: TrainResult, path: Path) -> None:
    """Write the picture to `path`; nothing where no step was logged.

    Single steps are faint points, their mean over a while is a line. Validation stands on the same axis, as its
    loss, with the step that was kept marked.
    """
    if not done.losses:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps, losses = [point.step for point in done.losses], [point.loss for point in done.losses]
    figure = Figure(figsize=(7.0, 3.8), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(steps, losses, ".", color="tab:blue", alpha=0.35, markersize=4, label="training, single steps")
    if len(losses) > 2:
        axes.plot(steps, _smooth(losses), color="tab:blue", linewidth=1.6, label="training, smoothed")
    if done.validation:
        at, held = [point.step for point in done.validation], [point.loss for point in done.validation]
        axes.plot(at, held, "s--", color="tab:orange", markersize=5, linewidth=1.2, label="validation")
        kept = [(step, loss) for step, loss in zip(at, held, strict=True) if step == done.kept_step]
        for step, loss in kept:
            axes.plot([step], [loss], "s", color="black", fillstyle="none", markersize=11, label="kept")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_title(f"Loss, {done.plan.selection.repo_id}", fontsize=10).set_parse_math(False)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Software": None})


def _smooth(losses: list[float]) -> list[float]:
    """The mean of each loss and as many before as after it; one that only looks back lags behind."""
    most = round(len(losses) * SMOOTHED / 2)
    made = []
    for at in range(len(losses)):
        reach = min(most, at, len(losses) - 1 - at)
        window = losses[at - reach : at + reach + 1]
        made.append(sum(window) / len(window))
    return made
