"""Collections and tags: what is said of a model once it is published. Saying it twice changes nothing."""

from __future__ import annotations

import re

from tunekit_hub.errors import HubError
from tunekit_hub.hub.state import Client

_SLUG = re.compile(r"[\w.-]+/[\w.-]+-[0-9a-f]{24}")


def find(client: Client, wanted: str, namespace: str) -> str | None:
    """The slug of a collection, by slug or by title; None where nobody has made one with this title yet.

    Raises:
        HubError: there is no collection of this slug.
    """
    if not _SLUG.fullmatch(wanted):
        title = wanted.strip().lower()
        return next((one.slug for one in _of(client, namespace) if one.title.strip().lower() == title), None)
    try:
        return client.call(f"looking at the collection `{wanted}`", lambda: client.api.get_collection(wanted)).slug
    except HubError as error:
        if "HTTP 404" not in error.message:
            raise
        message = f"there is no collection `{wanted}`, or this token may not see it"
        raise HubError(message, "give its title instead") from None


def owner(slug: str) -> str:
    """Whose collection it is."""
    return slug.partition("/")[0]


def add(client: Client, wanted: str, repo_id: str, *, private: bool) -> str:
    """Add a model to a collection, made if need be beside the model; its slug."""
    namespace = repo_id.partition("/")[0]
    slug = find(client, wanted, namespace)
    if slug is None:
        made = client.call(
            f"creating the collection `{wanted}`",
            lambda: client.api.create_collection(wanted, namespace=namespace, private=private, exists_ok=True),
        )
        slug = made.slug
    client.call(
        f"adding `{repo_id}` to the collection `{slug}`",
        lambda: client.api.add_collection_item(slug, repo_id, "model", exists_ok=True),
    )
    return slug


def tag(client: Client, repo_id: str, name: str, commit: str) -> None:
    """A git tag on a commit; where it is already, it stays."""
    client.call(
        f"tagging `{repo_id}` as `{name}`",
        lambda: client.api.create_tag(repo_id, tag=name, revision=commit, exist_ok=True),
    )


def _of(client: Client, namespace: str) -> list:
    what = f"reading the collections of `{namespace}`"
    return client.call(what, lambda: list(client.api.list_collections(owner=namespace)))
