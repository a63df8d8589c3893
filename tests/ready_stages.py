"""Stages that hand back ready records, to stand in `pipeline.STAGES` where the work itself is not the question."""

from __future__ import annotations

import records as made

from tunekit_hub import errors


def fail(error):
    def stage(at):
        raise error

    return stage


def nothing_usable():
    verdicts = made.make_verdicts()[:4]
    return errors.NoUsableModel("none of 4 models can be used", "try a smaller model", verdicts)


READY = {
    "profile": lambda at: made.make_profile(),
    "recommendation": lambda at: made.make_recommendation(at.run.profile, description=at.run.options.description),
    "selection": lambda at: made.make_selection(at.run.recommendation),
    "plan": lambda at: made.make_plan(at.run.selection, seed=at.run.options.seed),
    "training": lambda at: made.make_training(at.run.plan, run_dir=str(at.out)),
    "evaluation": lambda at: made.make_evaluation(at.run.training, files=()),
    "publication": lambda at: made.make_publication(at.run.evaluation, repo_id=at.run.options.push_to),
}
