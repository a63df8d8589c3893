"""The pages that answers of the client point to: a commit, a pull request, a collection."""

from __future__ import annotations

from urllib.parse import urlsplit

from browsing import ask, cookie

NASTY = "<script>alert(1)</script>"


def test_the_address_of_a_commit_leads_to_the_repo_at_that_commit(local_hub, hf, make):
    make("you/model")
    done = hf("you").upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="you/model")
    answer = ask(local_hub, "GET", urlsplit(done.commit_url).path)
    assert (answer.status, answer.getheader("Location")) == (303, f"/you/model/tree/{done.oid}")
    assert ask(local_hub, "GET", f"/you/model/commit/{'0' * 40}").status == 404


def test_a_pull_request_is_a_page_where_words_stay_words(local_hub, hf, make):
    make("you/model")
    api = hf("ada")
    done = api.upload_file(
        path_or_fileobj=f"{NASTY}\n".encode(),
        path_in_repo="x.txt",
        repo_id="you/model",
        create_pr=True,
        commit_message=f"Better {NASTY}",
    )
    api.comment_discussion("you/model", done.pr_num, f"What of {NASTY}?")
    page = ask(local_hub, "GET", urlsplit(done.pr_url).path)
    assert page.status == 200
    assert "<script" not in page.text
    assert page.text.count("&lt;script&gt;") >= 3
    assert "+&lt;script&gt;" in page.text  # the change itself
    assert "default-src 'none'" in page.getheader("Content-Security-Policy")
    listed = ask(local_hub, "GET", "/you/model/discussions")
    assert f'href="/you/model/discussions/{done.pr_num}"' in listed.text
    assert 'href="/you/model/discussions"' in ask(local_hub, "GET", "/you/model").text
    assert ask(local_hub, "GET", "/you/model/discussions/99").status == 404


def test_a_private_repos_discussions_are_private(local_hub, hf, make):
    make("you/secret", private=True)
    hf("you").create_discussion("you/secret", "Quiet please")
    for path in ("/you/secret/discussions", "/you/secret/discussions/1", "/you/secret/commit/main"):
        assert ask(local_hub, "GET", path).status == 404
    assert "Quiet please" in ask(local_hub, "GET", "/you/secret/discussions/1", **cookie(local_hub)).text


def test_a_collection_shows_what_the_caller_may_see(local_hub, hf, make):
    make("you/open")
    make("you/secret", private=True)
    api = hf("you")
    made = api.create_collection(f"Desk {NASTY}")
    for name in ("you/open", "you/secret"):
        api.add_collection_item(made.slug, name, "model", note=f"Note {NASTY}")
    path = urlsplit(made.url).path
    page = ask(local_hub, "GET", path)
    assert page.status == 200
    assert 'href="/you/open"' in page.text
    assert "you/secret" not in page.text
    assert "<script" not in page.text
    assert "you/secret" in ask(local_hub, "GET", path, **cookie(local_hub)).text
    api.update_collection_metadata(made.slug, private=True)
    assert ask(local_hub, "GET", path).status in (401, 404)
