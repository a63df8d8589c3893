"""Looking at a model before anything is fetched: what the Hub says of it, and what this token may do there.

A model of the registry takes two questions, asked at once. Any other takes one more for its `config.json` and
one for each model it was made from. What is public is not asked twice within an hour; access always is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from urllib.parse import quote

from tunekit_hub.hub.connection import TIMEOUT, Connection  # isort: skip, it sets the client's environment

from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError, HFValidationError

from tunekit_hub.errors import HubUnreachable
from tunekit_hub.facts import Access, BaseFacts
from tunekit_hub.hub import access as hub_access
from tunekit_hub.hub import cache as hub_cache
from tunekit_hub.hub import errors as hub_errors
from tunekit_hub.hub import facts as hub_facts
from tunekit_hub.hub.facts import Answer


class Looker(Connection):
    """A connection that can describe models.

    Args:
        token: As of `Connection`.
        endpoint: As of `Connection`.
        refresh: Ask again also what was asked within the last hour.
    """

    def __init__(
        self, token: str | Literal[False] | None = None, endpoint: str | None = None, *, refresh: bool = False
    ):
        super().__init__(token, endpoint)
        self._refresh = refresh

    def dataset_license(self, dataset_id: str) -> tuple[str, ...]:
        """The license ids that a dataset of the Hub declares; empty when it declares none.

        Raises:
            RepoNotFound: There is no such dataset, or this token may not see it.
            HubUnreachable: The Hub gave no answer.
        """
        expand: Any = list(hub_facts.EXPAND_BASE)
        what = f"reading the license of the dataset `{dataset_id}`"
        if constants.HF_HUB_OFFLINE:
            hint = "name its license: `--dataset-license ID`; or unset `HF_HUB_OFFLINE`"
            raise HubUnreachable(f"{what} failed: offline mode is on", hint)
        info = self._call(what, lambda: self._api.dataset_info(dataset_id, expand=expand, timeout=TIMEOUT))
        return hub_facts.declared(info)

    def _look(self, repo_id: str, whole: bool) -> tuple[Answer, Access]:
        """What the Hub says of a model, and what this token may do.

        Args:
            repo_id: The model; an old id is followed to the new one.
            whole: Also `config.json` and the licenses of the models it was made from.
        """
        kept = None if self._refresh else hub_cache.load(self._endpoint, repo_id)
        if kept and (kept.whole or not whole):
            access = self._access(kept.repo_id)
            if access is None:
                return kept, "granted" if kept.gated else "open"
            hub_cache.forget(self._endpoint, repo_id)  # it was open to this token, and is no longer
        with ThreadPoolExecutor(max_workers=1) as beside:
            asked = beside.submit(self._access, repo_id)
            found = hub_facts.answer(self._info(repo_id, hub_facts.EXPAND))
            access = "disabled" if found.disabled else asked.result()
        granted = access or ("granted" if found.gated else "open")
        if whole:
            found = self._completed(found, readable=access is None)
        # Of a gated model only what everybody is told is kept, and its config.json is not.
        if access is None and not found.private and not (found.gated and whole):
            hub_cache.save(self._endpoint, repo_id, found)
        return found, granted

    def _info(self, repo_id: str, fields: tuple[str, ...]) -> Any:
        expand: Any = list(fields)
        return self._retried(lambda: self._api.model_info(repo_id, expand=expand, timeout=TIMEOUT))

    def _access(self, repo_id: str) -> Access | None:
        """Why this token may not read the files; None when it may. An outage is raised."""
        try:
            self._retried(lambda: self._get(f"/api/models/{quote(repo_id)}/auth-check"))
        except hub_errors.CAUGHT as error:
            refused = hub_access.state(error, self._token)
            if refused is None:
                raise
            return refused
        return None

    def _completed(self, found: Answer, readable: bool) -> Answer:
        """With `config.json`, where it may be read, and what the base models declare; all asked at once."""
        asks: list[Callable[[], Any]] = [lambda name=name: self._base(name) for name in found.base_ids]
        if readable and "config.json" in found.files:
            asks.append(lambda: self._config(found))
        if not asks:
            return found.but(whole=True)
        with ThreadPoolExecutor(max_workers=len(asks)) as pool:
            said = [one.result() for one in [pool.submit(ask) for ask in asks]]
        bases = tuple(one for one in said if isinstance(one, BaseFacts))
        return found.but(whole=True, bases=bases, config=next((c for c in said if isinstance(c, dict)), None))

    def _base(self, repo_id: str) -> BaseFacts:
        """What a base model declares; one that cannot be seen is said to be so."""
        try:
            return hub_facts.base(self._info(repo_id, hub_facts.EXPAND_BASE))
        except HFValidationError:  # cards name folders of their makers, too
            return BaseFacts(repo_id=repo_id, seen=False)
        except hub_errors.CAUGHT as error:
            if hub_access.state(error, self._token) is None:
                raise
            return BaseFacts(repo_id=repo_id, seen=False)

    def _config(self, found: Answer) -> dict[str, Any] | None:
        path = f"/{quote(found.repo_id)}/resolve/{found.sha}/config.json"
        try:
            return _json_object(self._retried(lambda: self._get(path)).content)
        except hub_errors.CAUGHT as error:
            if isinstance(hub_errors.root(error), EntryNotFoundError):
                return None
            raise


def _json_object(content: bytes) -> dict[str, Any] | None:
    """The object that a config file holds; None for anything else."""
    try:
        found = json.loads(content.decode("utf-8", "replace"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
