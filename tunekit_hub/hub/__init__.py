"""The only caller of huggingface_hub, with the modules beside it: facts, fetching, and publishing.

Single calls of the client are not retried by it; here they are. An outage raises `HubUnreachable` and is
never taken for an answer about a model. A token stays in here: `hub/connection.py` holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunekit_hub.hub.connection import TIMEOUT  # isort: skip, it sets the client's environment

from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError

from tunekit_hub import model_files
from tunekit_hub.errors import HubUnreachable
from tunekit_hub.facts import ModelFacts
from tunekit_hub.hub import access as hub_access
from tunekit_hub.hub import errors as hub_errors
from tunekit_hub.hub import facts as hub_facts
from tunekit_hub.hub import files as hub_files
from tunekit_hub.hub import login as hub_login
from tunekit_hub.hub import search as hub_search
from tunekit_hub.hub.publisher import Publisher
from tunekit_hub.registry import ModelEntry
from tunekit_hub.verdicts.candidates import Listed, Search


class Hub(Publisher):
    """One Hub, seen with one token, as the stages use it. Its arguments are those of `Looker`."""

    def facts(self, repo_id: str, entry: ModelEntry | None = None) -> ModelFacts:
        """What there is to know about a model before it is fetched; see `hub/look.py` for what that costs.

        Args:
            repo_id: The model; an old id is followed to the new one.
            entry: What the registry knows of it. Without it `config.json` is read too, where access allows, and
                the licenses of the models it was made from.

        Raises:
            HubUnreachable: The Hub gave no answer; offline, a model of the registry has recorded facts.
        """
        what = f"reading the facts of `{repo_id}`"
        if constants.HF_HUB_OFFLINE:
            return self._offline(what, entry)
        asked = entry.canonical if entry else repo_id
        try:
            found, access = self._look(asked, whole=entry is None)
        except hub_errors.CAUGHT as error:
            state = hub_access.state(error, self._token)
            if state is None:
                self._raise(error, what)
            return ModelFacts(repo_id=asked, access=state, url=self._url(asked))
        facts = hub_facts.seen(found, access, self._url(found.repo_id), entry)
        return facts if found.repo_id.lower() == repo_id.lower() else facts.but(asked=repo_id)

    def _offline(self, what: str, entry: ModelEntry | None) -> ModelFacts:
        if entry is None:
            hint = "unset `HF_HUB_OFFLINE`, or name a model of the registry: `tunekit-hub models`"
            raise HubUnreachable(f"{what} failed: offline mode is on, and no facts are recorded", hint)
        folder = hub_login.newest_snapshot(self._endpoint, entry.canonical)
        if folder is None:
            return hub_facts.recorded(entry, self._url(entry.canonical))
        files = tuple(sorted(path.name for path in folder.iterdir()))
        return hub_facts.recorded(entry, self._url(entry.canonical), folder.name, files)

    def search(self, asked: Sequence[Search]) -> tuple[Listed, ...]:
        """Models of the Hub's list, the most downloaded of each search first.

        Raises:
            HubUnreachable: The Hub gave no answer, or cannot search.
        """
        return hub_search.search(self._api, self._call, asked)

    def fetch(self, repo_id: str, revision: str, *, weights: bool = True, cache: Path | None = None) -> Path:
        """The folder with weights, config, tokenizer and chat template of a commit; never with code.

        Args:
            repo_id: The model.
            revision: A commit, or a ref; the folder is named after the commit.
            weights: False for all but the weights, which is enough to count tokens.
            cache: Keep it in this folder, and take nothing from any other; by default, the Hub cache.
        """
        what, cache = f"fetching `{repo_id}`", cache or hub_login.cache_dir(self._endpoint)
        if constants.HF_HUB_OFFLINE:
            folder = hub_login.snapshots(self._endpoint, repo_id) / revision
            if not folder.is_dir() or (weights and not model_files.complete(folder)):
                hint = "unset `HF_HUB_OFFLINE` to fetch it"
                raise HubUnreachable(f"{what} failed: it is not on this machine, and offline mode is on", hint)
            return folder
        info = self._call(what, lambda: self._api.model_info(repo_id, revision=revision, timeout=TIMEOUT))
        there = [file.rfilename for file in info.siblings or ()]
        names = model_files.wanted(there) if weights else model_files.beside(there)
        return hub_files.snapshot(self, repo_id, revision, names, cache=cache)

    def read_text(self, repo_id: str, filename: str, revision: str | None = None) -> str | None:
        """The text of a small file; None where the repository has no such file."""
        cache = hub_login.cache_dir(self._endpoint)
        try:
            path = hub_files.one(self, repo_id, filename, revision, cache=cache)
        except hub_errors.CAUGHT as error:
            if isinstance(hub_errors.root(error), EntryNotFoundError) and not hub_errors.outage(error):
                return None
            self._raise(error, f"reading `{filename}` of `{repo_id}`")
        return path.read_text(encoding="utf-8", errors="replace")
