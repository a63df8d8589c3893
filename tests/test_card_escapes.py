"""Text from users, datasets and other people's cards stays text: in the front matter, in Markdown, in HTML."""

import random

import pytest
import yaml
from card_pages import chat_card, label_card, page
from huggingface_hub import ModelCard

from tunekit_hub.card.markup import one_line

CARDS = {"chat": chat_card, "labels": label_card}
HOSTILE = {
    "front matter": "x\n---\nlicense: mit\n---\n# Owned",
    "html": "</details><script>alert(1)</script><img src=x onerror=alert(1)><b>",
    "links": "[click](javascript:alert(1)) ![p](http://evil.example/p.png) <http://evil.example> [a]: http://b.c",
    "addresses": "http://evil.example www.evil.example joe@evil.example @somebody HTTPS://EVIL.X mailto:a@b.cd",
    "fences": "`` ` ```\n```\n# out\n~~~\n`http://evil.example` `a``b`",
    "table": "| a | b |\n|---|---|\n| `x|y` | \\| \\",
    "blocks": "# heading\n- item\n1. item\n> quote\n    code\n***\n===\n[ ] task\n+ one\n: what",
    "formulas": "$$x$$ \\(x\\) \\[y\\] &lt;script&gt; &#60;b&#62; a^2^ ~~gone~~ ==mark== **bold** __b__",
    "jinja": "{{ 7 * 191 }} {% raw %} {# #} ${{ env }}",
    "unseen": "\u202egnp.exe \x1b[31m a\u200bb \u2028 c \u2066d \x00e \ufeff \U000e0041 \ud83d",
    "yaml": "!!python/object:os.system {a: [b, *c]} # no 'x' \"y\" %TAG ? - : @ `",
    "only signs": "---",
    "nothing": " ",
    "long": "w" * 30_000 + " `" + "|" * 5_000,
}
CALM = "calm"


def structure(text):
    found = page(text)
    return found.tags, found.leads


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_what_others_write_is_text_on_the_page(kind, name):
    text = CARDS[kind](HOSTILE[name])
    calm = CARDS[kind](CALM)
    assert structure(text) == structure(calm)
    assert page(text).bare == []
    assert "1337" not in text
    assert len(text) < 100_000
    for character in text:
        assert character == "\n" or character.isprintable() or character in "\u200d\u200c\xa0", hex(ord(character))


@pytest.mark.parametrize("kind", CARDS)
def test_any_mixture_of_signs_is_text_on_the_page(kind):
    signs = [
        *"`|*_[]()<>#!\\$&~^@-+=:.1a \n\t{}\"'",
        "```",
        "---",
        "](",
        "<!--",
        "-->",
        "://",
        "http",
        "www.",
        "\r\n",
    ]
    draw = random.Random(7)
    calm = structure(CARDS[kind](CALM))
    for _ in range(150):
        text = "".join(draw.choices(signs, k=draw.randint(1, 30)))
        made = CARDS[kind](text)
        assert structure(made) == calm, repr(text)
        assert page(made).bare == [], repr(text)


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_front_matter_keeps_its_keys_and_reads_as_it_was_written(kind, name):
    text = CARDS[kind](HOSTILE[name])
    calm = CARDS[kind](CALM)
    fields, usual = (yaml.safe_load(one.split("---\n", 2)[1]) for one in (text, calm))
    assert set(usual) - {"license_name"} <= set(fields) <= set(usual)
    assert fields["license"] == "other"
    assert fields["tags"] == usual["tags"]
    assert ModelCard(text).data.to_dict()["base_model"] == usual["base_model"]
    assert ModelCard(text).content == text  # what the client writes again is what it read
    assert fields.get("license_name", "") == one_line(HOSTILE[name])
    dataset = fields["model-index"][0]["results"][0]["dataset"]["name"]
    assert "\n" not in dataset
    assert len(dataset) < 100


def test_words_survive_their_escaping():
    text = chat_card("Tarif <ändern> | `code` 100 % & more, 50 € – „so“ 👩‍👩‍👧 日本")
    said = page(text).text
    assert "Tarif <ändern> | " in said
    assert "100 % & more, 50 € – „so“ 👩‍👩‍👧 日本" in said
