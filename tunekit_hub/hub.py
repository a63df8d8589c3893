"""The only caller of huggingface_hub: facts, access, fetching and pushing.

Single calls of the client are not retried by it; here they are. An outage raises `HubUnreachable` and is
never taken for an answer about a model. A token stays in here: `hub_connection.py` holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunekit_hub.hub_connection import TIMEOUT  # isort: skip, it sets the client's environment

from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError
from huggingface_hub.utils import hf_raise_for_status

from tunekit_hub import hub_access, hub_errors, hub_facts, hub_login, hub_push, hub_search, model_files
from tunekit_hub.candidates import Listed, Search
from tunekit_hub.errors import AccessDenied, HubUnreachable
from tunekit_hub.facts import ModelFacts
from tunekit_hub.hub_look import Looker
from tunekit_hub.hub_push import Head, Push
from tunekit_hub.registry import ModelEntry


class Hub(Looker):
    """One Hub, seen with one token, as the stages use it. Its arguments are those of `Looker`."""

    def whoami(self) -> str:
        """The name of the token's owner.

        Raises:
            AccessDenied: There is no token.
            InvalidToken: The Hub does not know it.
        """
        return self._identity()["name"]

    def namespaces(self) -> tuple[str, ...]:
        """The user and organizations that this token can create repositories in."""
        who = self._identity()
        token = (who.get("auth") or {}).get("accessToken") or {}
        if token.get("role") == "read":
            return ()
        if token.get("role") == "fineGrained":
            scopes = (token.get("fineGrained") or {}).get("scoped") or []
            writing = [scope["entity"] for scope in scopes if "repo.write" in scope.get("permissions", ())]
            return tuple(entity["name"] for entity in writing if entity.get("type") in ("user", "org"))
        orgs = [org["name"] for org in who.get("orgs") or () if org.get("roleInOrg") != "read"]
        return (who["name"], *orgs)

    def facts(self, repo_id: str, entry: ModelEntry | None = None) -> ModelFacts:
        """What there is to know about a model before it is fetched; see `hub_look.py` for what that costs.

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

    def fetch(self, repo_id: str, revision: str, *, weights: bool = True) -> Path:
        """The folder with weights, config, tokenizer and chat template of a commit; never with code.

        Args:
            repo_id: The model.
            revision: A commit.
            weights: False for all but the weights, which is enough to count tokens.
        """
        what, cache = f"fetching `{repo_id}`", hub_login.cache_dir(self._endpoint)
        if constants.HF_HUB_OFFLINE:
            folder = hub_login.snapshots(self._endpoint, repo_id) / revision
            if not folder.is_dir() or (weights and not model_files.complete(folder)):
                hint = "unset `HF_HUB_OFFLINE` to fetch it"
                raise HubUnreachable(f"{what} failed: it is not on this machine, and offline mode is on", hint)
            return folder
        info = self._call(what, lambda: self._api.model_info(repo_id, revision=revision, timeout=TIMEOUT))
        there = [file.rfilename for file in info.siblings or ()]
        names = model_files.wanted(there) if weights else model_files.beside(there)
        options: Any = {"revision": revision, "cache_dir": cache, "allow_patterns": names}
        # The client retries downloads by itself.
        return Path(self._call(what, lambda: self._api.snapshot_download(repo_id, **options), tries=1))

    def read_text(self, repo_id: str, filename: str, revision: str | None = None) -> str | None:
        """The text of a small file; None where the repository has no such file."""
        cache = hub_login.cache_dir(self._endpoint)
        try:
            path = self._retried(
                lambda: self._api.hf_hub_download(repo_id, filename, revision=revision, cache_dir=cache), tries=1
            )
        except hub_errors.CAUGHT as error:
            if isinstance(hub_errors.root(error), EntryNotFoundError) and not hub_errors.outage(error):
                return None
            self._raise(error, f"reading `{filename}` of `{repo_id}`")
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def write_access(self, repo_id: str) -> bool | None:
        """Whether this token may write to a repository; None where there is none that it can see."""
        try:
            self._retried(lambda: self._get(f"/api/models/{repo_id}/auth-check/write"))
        except hub_errors.CAUGHT as error:
            if hub_errors.status(error) == 403:
                return False
            if hub_access.state(error, self._token) == "private-or-missing":
                return None
            self._raise(error, f"asking for write access to `{repo_id}`")
        return True

    def head(self, repo_id: str) -> Head | None:
        """A repository as it stands: commit, visibility, files; None where there is none that this token sees."""
        return hub_push.head(self._api, self._call, repo_id)

    def validate_card(self, text: str) -> list[str]:
        """What the Hub objects to in a README; empty when it would take it."""

        def ask() -> Any:
            answer = self._post("/api/validate-yaml", {"repoType": "model", "content": text})
            if answer.status_code != 400:
                hf_raise_for_status(answer)
            return answer.json()

        problems = self._call("validating the card", ask).get("errors") or ()
        return [str(problem.get("message", problem)) for problem in problems]

    def push(self, repo_id: str, files: Mapping[str, Path | bytes], *, message: str, private: bool) -> Push:
        """Publishes files as one commit, in a repository that is created if need be.

        Files that are there already are left alone; when all are, there is no commit. Weights of an earlier
        publish that would be loaded beside these are deleted in the same commit, and nothing else is. A
        repository that this call created is deleted again when the commit fails.

        Args:
            repo_id: Where to; `owner/name`.
            files: Path in the repository → a file, or its content.
            message: What the commit says.
            private: For a repository that is created; an existing one stays as it is.
        """
        return hub_push.push(self._api, self._call, repo_id, files, message=message, private=private)

    def _identity(self) -> dict[str, Any]:
        if self._token is None:
            hint = "sign in with `hf auth login`, or set `HF_TOKEN`"
            raise AccessDenied(f"no token is known for {self._endpoint}, so nothing can be published there", hint)
        return self._call("asking who this token belongs to", lambda: self._get("/api/whoami-v2").json())
