"""Stage 7: the model on the Hub, in one commit; and its rehearsal, before hours of training.

    look at the target → gather the files → one commit → reload gate from the Hub → tags, collection

Each step finds what is done already, so a publish that broke is finished by the same publish again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunekit_hub import card, wishes
from tunekit_hub.errors import HubError, PublishError, ReloadMismatch
from tunekit_hub.facts import Finding, Publishing, Weights
from tunekit_hub.hub import Hub
from tunekit_hub.hub.push import Where
from tunekit_hub.publishing import contents, destination, prospects, verification
from tunekit_hub.records import Evaluation, Plan, Publication, Rehearsal
from tunekit_hub.trainers import OnEvent

DEFAULTS = Publishing()


def rehearse(plan: Plan, repo_id: str, publishing: Publishing = DEFAULTS, *, hub: Hub, **asked: Any) -> Rehearsal:
    """Try everything about the publish that can be tried before there is a model. Nothing is written.

    Args:
        plan: what will be trained.
        repo_id: where it is to go, `namespace/name`.
        publishing: how.
        hub: with the token that will publish.
        asked: fields of `tunekit_hub.facts.Publishing` that are to differ.

    Raises:
        UsageError: wishes that contradict each other, or the training.
        InvalidToken: the Hub does not know the token.
        AccessDenied: there is no token, or it may not write there.
        PublishError: the name is not legal, the repo holds another model, or the card is refused.
    """
    wish = wishes.settled(publishing, asked)
    form = wishes.form(plan, wish.weights)
    place = destination.look(repo_id, wish, hub)
    found = list(place.findings)
    found += [*prospects.naming(plan, repo_id), *_marks(repo_id, wish, place, hub)]
    found += [prospects.ids(plan), prospects.storage(plan, form, private=wish.private, who=place.who, hub=hub)]
    found.append(_card(plan, repo_id, form, hub))
    return Rehearsal(
        repo_id=repo_id,
        user=place.who.name,
        exists=place.head is not None,
        private=wish.private,
        findings=tuple(found),
    )


def publish(
    evaluation: Evaluation,
    repo_id: str,
    publishing: Publishing = DEFAULTS,
    *,
    hub: Hub | None = None,
    on_event: OnEvent | None = None,
    **asked: Any,
) -> Publication:
    """Publish what was evaluated, in one commit, none if nothing changed; and load it again from there.

    Args:
        evaluation: of a run whose folder holds the model.
        repo_id: `namespace/name`; made if it is not there.
        publishing: how; private unless asked otherwise.
        hub: where to; by default `HF_ENDPOINT` and `HF_TOKEN` as everywhere.
        on_event: called with a dict about what takes its time.
        asked: fields of `tunekit_hub.facts.Publishing` that are to differ, such as `private=False`,
            `weights="merged"`, `pull_request=True` or `tags=("v1",)`.

    Raises:
        ReloadMismatch: what is on disk, or what was published, does not give the answers that were measured.
        AccessDenied: this token may not write there.
        PublishError: a file is missing, or holds a path or a token, or the repo holds another model.
    """
    wish = wishes.settled(publishing, asked | {"push_to": repo_id})
    return go_on(evaluation, wish, hub=hub or Hub(), on_event=on_event)


def go_on(
    evaluation: Evaluation,
    publishing: Publishing,
    *,
    hub: Hub,
    on_event: OnEvent | None = None,
    before: Publication | None = None,
    afresh: bool = False,
    keep: Callable[[Publication], None] = lambda _: None,
) -> Publication:
    """`publish`, from where an earlier one stopped.

    Args:
        evaluation: as of `publish`.
        publishing: how, and with `push_to` where to.
        hub: where to.
        on_event: as of `publish`.
        before: what the earlier one handed to `keep` last; what it did is not done again.
        afresh: begin at the beginning. What proves to be published already and was verified is not loaded again.
        keep: called with the record as it stands whenever something was done that is not to be done twice.
    """
    verification.require(evaluation)
    done = before
    if done is None or done.mismatch or afresh:
        done = push(evaluation, publishing.push_to or "", publishing, hub=hub, on_event=on_event)
        if before is not None and _place(before) == _place(done):
            done = done.but(verified=before.verified, created=before.created)
        keep(done)
    if done.verified is None:
        done = verify(done, publishing, hub=hub, on_event=on_event)
        keep(done)
    require_verified(done)
    return settle(done, publishing, hub=hub)


def complete(publication: Publication | None, publishing: Publishing) -> bool:
    """Whether there is nothing left to do. A record of an earlier version does not say, and counts as whole."""
    if publication is None or publication.weights is None:
        return publication is not None
    settled = publication.tags == publishing.tags and bool(publication.collection) == bool(publishing.collection)
    return publication.verified is not None and settled


def push(
    evaluation: Evaluation,
    repo_id: str,
    publishing: Publishing = DEFAULTS,
    *,
    hub: Hub,
    on_event: OnEvent | None = None,
    **asked: Any,
) -> Publication:
    """The first part of `publish`: the files on the Hub, in one commit or a pull request, not yet loaded again."""
    wish, plan = wishes.settled(publishing, asked), evaluation.training.plan
    form = wishes.form(plan, wish.weights)
    place = destination.look(repo_id, wish, hub)
    if wish.collection:
        destination.check_collection(repo_id, wish.collection, place.who, hub)
    say = _notes(on_event)
    what = contents.gather(evaluation, repo_id, form, hub, say)
    message = contents.message(evaluation, form)
    if wish.pull_request:
        sent = hub.propose(repo_id, what.files, message=message, author=place.who.name, say=say)
    else:
        where = Where(private=wish.private, branch=place.branch, tags=wish.tags)
        sent = hub.push(repo_id, what.files, message=message, where=where, say=say)
    return Publication(
        evaluation=evaluation,
        repo_id=repo_id,
        url=sent.url,
        commit=sent.commit,
        private=sent.private,
        changed=sent.changed,
        files=tuple(what.files),
        weights=form,
        revision=sent.revision,
        pull_request=sent.pull_request,
        created=sent.created,
    )


def verify(
    publication: Publication,
    publishing: Publishing = DEFAULTS,
    *,
    hub: Hub,
    on_event: OnEvent | None = None,
) -> Publication:
    """The second part: load it from the Hub as anybody would, and compare with what was measured.

    Where it predicts otherwise, the card says so from now on, or what was created is deleted, as
    `publishing.on_mismatch` says; the record has it in words, and `require_verified` raises it.

    Raises:
        HubError: the Hub could not be reached; nothing is known then, and trying again is all there is to do.
    """
    say = _notes(on_event)
    try:
        return publication.but(verified=verification.check(publication, hub, say), mismatch="", after_mismatch="")
    except ReloadMismatch as error:
        found = publication.but(verified=None, mismatch=error.message)
    if publishing.on_mismatch == "delete" and hub.take_back(
        found.repo_id, found.created, found.revision, found.commit
    ):
        return found.but(after_mismatch="deleted")
    try:
        return found.but(commit=verification.mark(found, hub), after_mismatch="marked")
    except HubError as refused:
        return found.but(mismatch=f"{found.mismatch}; its card does not say so yet ({refused.message})")


def require_verified(publication: Publication) -> None:
    """Raise what `verify` found.

    Raises:
        ReloadMismatch: what was published does not give the answers that were measured.
    """
    if not publication.mismatch:
        return
    said = {"marked": "; its card says so", "deleted": f"; the {publication.created} was deleted again", "": ""}
    if publication.after_mismatch == "deleted" and publication.created == "pull request":
        said["deleted"] = "; the pull request was closed again"
    raise ReloadMismatch(
        publication.mismatch + said[publication.after_mismatch],
        "the weights in the run folder are the ones that were measured: publish again, and report it if it stays",
    )


def settle(publication: Publication, publishing: Publishing = DEFAULTS, *, hub: Hub) -> Publication:
    """The last part, once it is known to be right: tags on the commit, and a place in a collection."""
    for tag in publishing.tags:
        hub.tag(publication.repo_id, tag, publication.commit)
    slug = None
    if publishing.collection:
        slug = hub.collect(publication.repo_id, publishing.collection, private=publication.private)
    return publication.but(tags=publishing.tags, collection=slug)


def _place(publication: Publication) -> tuple[Any, ...]:
    return publication.repo_id, publication.revision, publication.commit, publication.weights


def _marks(repo_id: str, wish: Publishing, place: destination.Destination, hub: Hub) -> list[Finding]:
    """Tags and collection."""
    found = []
    if wish.tags and place.head is not None:
        found.append(destination.check_tags(repo_id, wish.tags, hub.refs(repo_id)))
    if wish.collection:
        found.append(destination.check_collection(repo_id, wish.collection, place.who, hub))
    return found


def _card(plan: Plan, repo_id: str, form: Weights, hub: Hub) -> Finding:
    problems = hub.validate_card(card.rehearsal(plan, repo_id, weights=form))
    if problems:
        raise PublishError(
            f"the Hub refuses the model card: {'; '.join(problems)}",
            "the card is made from the base model's license and the data's language; choose another `--model`",
        )
    return Finding(check="card", status="pass", message="the Hub accepts the model card")


def _notes(on_event: OnEvent | None) -> Any:
    return lambda message: on_event({"event": "note", "message": message}) if on_event else None
