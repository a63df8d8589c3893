"""Pull requests: a ref `refs/pr/N`, a record of who proposed what, and the merge."""

from __future__ import annotations

import re
import secrets

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import Refusal, bad_request, conflict
from tunekit_hub.localhub.repo_records import Event, Pull, now
from tunekit_hub.localhub.repos import MAIN, Commit, Entry, Repo


def number(revision: str) -> int | None:
    """The N of `refs/pr/N`."""
    match = re.fullmatch(r"refs/pr/(\d{1,9})", revision)
    return int(match[1]) if match else None


def next_number(repo: Repo) -> tuple[int, str]:
    """The number of the next pull request and its ref."""
    taken = [pull.num for pull in repo.reload().pulls]
    taken += [found for ref in repo.refs() if (found := number(ref)) is not None]
    following = max(taken, default=0) + 1
    return following, f"refs/pr/{following}"


def record(repo: Repo, pull: Pull) -> None:
    """Note a new discussion, or a pull request whose ref is there already."""
    repo.update(pulls=(*repo.reload().pulls, pull))


def replace(repo: Repo, pull: Pull) -> None:
    """Note what became of one."""
    repo.update(pulls=tuple(pull if p.num == pull.num else p for p in repo.reload().pulls))


def event(kind: str, author: str, said: str, before: str = "") -> Event:
    """Something that happens now."""
    fields = {"type": kind, "author": author, "text": said, "before": before}
    return Event.model_validate({"id": secrets.token_hex(12), "date": now(), **fields})


def new(num: int, title: str, description: str, author: str) -> Pull:
    """An open pull request of now."""
    return Pull(num=num, title=title, description=description, author=author, date=now())


def find(repo: Repo, num: int) -> Pull:
    """The discussion or pull request of this number; 404 if there is none."""
    for pull in repo.reload().pulls:
        if pull.num == num:
            return pull
    raise Refusal(404, f"There is no discussion {num} in {repo.id}")


def check_author(call: Call, repo: Repo) -> None:
    """Further commits to a pull request come from its author or from who may write anyway.

    A token that only reads proposes nothing.
    """
    user = access.check_discuss(call.user, repo)
    num = number(call.param("revision"))
    if num is None:
        return
    pull = find(repo, num)
    if pull.author != user.name:
        access.check_write(user, repo)
    if pull.status == "merged":
        raise conflict(f"Pull request {num} is merged already")


def own_commits(repo: Repo, head: Commit) -> list[Commit]:
    """The commits of a pull request that main did not have, oldest first."""
    on_main = {commit.id for commit in repo.history("main")}
    return [commit for commit in repo.history(head.id) if commit.id not in on_main][::-1]


def merged(repo: Repo, head: Commit) -> tuple[dict[str, Entry], list[str]]:
    """Main with the pull request's changes, and the files that both sides changed differently."""
    main = repo.commit("main").tree
    on_main = {commit.id: commit for commit in repo.history("main")}
    base = next((on_main[c.id].tree for c in repo.history(head.id) if c.id in on_main), {})
    tree, conflicts = dict(main), []
    for path in sorted({*base, *head.tree}):
        theirs, ours, before = head.tree.get(path), main.get(path), base.get(path)
        if theirs in (before, ours):
            continue
        if ours != before:
            conflicts.append(path)
        elif theirs is None:
            del tree[path]
        else:
            tree[path] = theirs
    return tree, conflicts


async def merge(call: Call) -> Response:
    """Put the changes on main, as one commit."""
    body = await call.json()
    repo = call.writable_repo()
    user = call.known_user().name
    pull = find(repo, int(call.request.path_params["num"]))
    if not pull.is_pull:
        raise bad_request(f"{pull.num} is a discussion, not a pull request")
    if pull.status not in ("open", "draft"):
        raise conflict(f"Pull request {pull.num} is {pull.status} already")
    comment = text(body, "comment", "").strip()
    with repo.storage.lock:
        tree, conflicts = merged(repo, repo.commit(f"refs/pr/{pull.num}"))
        if conflicts:
            raise conflict(f"Main has changed the same files: {', '.join(conflicts[:5])}")
        made = repo.add_commit(MAIN, tree, user, f"{pull.title} (#{pull.num})")
        said = (event("comment", user, comment),) if comment else ()
        done = event("status-change", user, "merged")
        replace(repo, pull.but(status="merged", merged_as=made.id, events=(*pull.events, *said, done)))
    return JSONResponse({})


ROUTES = [("POST", "/api/{kind:kind}/{repo:repo}/discussions/{num:number}/merge", merge)]
