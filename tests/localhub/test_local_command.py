"""`tunekit-hub hub seed` and `hub app`: a folder filled, and an app that people can sign in to."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from huggingface_hub import HfApi

from tunekit_hub.cli import main
from tunekit_hub.cli.hub import hub
from tunekit_hub.localhub import Storage, oauth_apps, running
from tunekit_hub.registry import load

ROOT = Path(__file__).parent.parent.parent


def test_seed_fills_a_folder_that_can_then_be_served(tmp_path, capsys):
    count = len({entry.canonical for entry in load().models})
    assert main(["hub", "seed", "--dir", str(tmp_path / "hub")]) == 0
    assert f"{count} models, {count} of them new" in capsys.readouterr().err
    assert main(["hub", "seed", "--dir", str(tmp_path / "hub")]) == 0
    assert "0 of them new" in capsys.readouterr().err
    with running(tmp_path / "hub", {"t": "you"}) as served:
        assert len(list(HfApi(served.endpoint, token="t").list_models())) == count
        assert main(["hub", "seed", "--dir", str(tmp_path / "hub")]) == 2
    err = capsys.readouterr().err
    assert "is in use already" in err
    assert served.endpoint in err


def test_app_prints_what_a_space_needs(tmp_path, capsys):
    folder = tmp_path / "hub"
    assert main(["hub", "app", "--dir", str(folder), "My Space"]) == 2
    assert "--endpoint" in capsys.readouterr().err
    with running(folder, {"t": "you"}) as served:
        command = ["hub", "app", "--dir", str(folder), "My Space", "--scope", "read-repos", "--space", "you/space"]
        assert main(command) == 0
        said = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines())
        assert said["OPENID_PROVIDER_URL"] == served.endpoint
    assert (said["SPACE_ID"], said["SYSTEM"]) == ("you/space", "spaces")
    assert shlex.split(said["OAUTH_SCOPES"]) == ["openid profile read-repos"]
    known = oauth_apps.find_app(Storage(folder), said["OAUTH_CLIENT_ID"])
    assert known.knows(said["OAUTH_CLIENT_SECRET"])


def test_app_refuses_what_it_cannot_register(tmp_path, capsys):
    command = ["hub", "app", "--dir", str(tmp_path), "x", "--endpoint", "http://127.0.0.1:1"]
    assert main([*command, "--scope", "everything"]) == 2
    assert "everything" in capsys.readouterr().err
    assert main([*command, "--redirect", "http://192.0.2.1/"]) == 2
    assert "https" in capsys.readouterr().err


def test_the_page_about_the_local_hub_shows_commands_that_exist():
    page = (ROOT / "docs" / "local-hub.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`hub ([a-z]+) ", page)) == set(hub.commands)
    for line in re.findall(r"^tunekit-hub hub .*", page, re.MULTILINE):
        words = line.split()[2:]
        known = {option for parameter in hub.commands[words[0]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
    options = {option for command in hub.commands.values() for p in command.params for option in p.opts}
    assert set(re.findall(r"`(--[a-z-]+)", page)) <= options
