"""Which languages and which domain texts are of."""

import csv
import random

import pytest
from samples import ENGLISH, REAL_DATA

from tunekit_hub.profiles.domains import detect_domain
from tunekit_hub.profiles.languages import detect_languages

GERMAN = [
    "Wie setze ich mein Passwort zurück, wenn ich keinen Zugriff mehr auf mein altes Postfach habe?",
    "Öffnen Sie die Anmeldeseite, wählen Sie den Link unter dem Formular und folgen Sie den Schritten.",
    "Mein Paket sollte am Montag kommen, und die Sendungsverfolgung hat sich seit dem Wochenende nicht geändert.",
    "Das tut mir leid. Der Fahrer hatte eine Panne, und Ihr Paket sollte morgen bei Ihnen ankommen.",
    "Kann ich die Lieferadresse noch ändern, nachdem ich die Bestellung aufgegeben habe?",
    "Ja, solange sie unser Lager nicht verlassen hat. Öffnen Sie die Bestellung und wählen Sie eine Adresse.",
]

FRENCH = [
    "Où est mon colis, je ne l'ai pas encore reçu ?",
    "Comment puis-je changer mon mot de passe ?",
    "La lampe ne fonctionne plus depuis hier soir.",
]


def needs(*parts):
    path = REAL_DATA.joinpath(*parts)
    return path, pytest.mark.skipif(not path.exists(), reason=f"{'/'.join(parts)} is not on this machine")


BANKING, has_banking = needs("banking77", "train.csv")
NCBI, has_ncbi = needs("ncbi_disease", "train.tsv")


@pytest.mark.parametrize(
    ("texts", "languages"),
    [
        (ENGLISH, ("en",)),
        (GERMAN, ("de",)),
        (GERMAN * 3 + ENGLISH, ("de", "en")),
        (ENGLISH * 40 + GERMAN, ("en",)),
        (["Wie geht es dir heute?"], ("de",)),
        (["人工智能正在改变我们的生活方式,我们可以用它来写作和翻译。"], ("zh",)),
        (["मुझे अपना पासवर्ड बदलना है, कृपया मेरी मदद करें।"], ("hi",)),
        (["```python\nprint('x')\n```\nThis prints one letter on the screen, and then it ends."], ("en",)),
        (["1 + 1 = 2", "3 * 4 = 12"], ()),
        (["Hi"], ()),
        (["hello there", "good bad"], ()),
        (["red", "green", "blue", "red"], ()),
        (["kvz brtl wqx", "plok snarf zibble"] * 9, ()),
        ([], ()),
    ],
)
def test_languages(texts, languages):
    assert detect_languages(texts) == languages


def test_languages_within_long_rows():
    rows = [" ".join(ENGLISH) + " " + " ".join(GERMAN)] * 3
    assert set(detect_languages(rows)) == {"de", "en"}


def test_short_rows_of_several_languages_in_any_order():
    rows = [*(ENGLISH * 10), *(GERMAN * 4), *(FRENCH * 10)]
    random.Random(1).shuffle(rows)
    assert detect_languages(rows) == ("en", "de", "fr")
    assert set(detect_languages([row.split("?")[0].split(",")[0] for row in rows])) == {"en", "de", "fr"}


def test_a_few_rows_are_never_taken_for_another_language():
    for start in range(len(ENGLISH)):
        for count in (1, 2, 3):
            assert detect_languages(ENGLISH[start : start + count]) in (("en",), ())


CLINICAL = (
    "Pt is a 67 yo male with hx of COPD presenting with SOB x 3 days. Denies chest pain. BP 142/88, afebrile. "
    "Lungs: bilateral wheezing, no rales. Started on prednisone 40 mg daily and albuterol prn. CXR negative."
)
DISCHARGE = (
    "He was admitted with worsening chest pain, was found hypotensive and was intubated in the ICU. Creatinine "
    "peaked at 2.4. He was discharged home on metoprolol 25 mg and will be seen as an outpatient."
)
BIOMEDICAL = (
    "We sequenced the coding exons of the gene in 42 unrelated families. A missense mutation in exon 5 changes "
    "the protein's receptor domain, and heterozygous mice that carry this allele show the same phenotype."
)


@pytest.mark.parametrize(
    ("texts", "domain"),
    [
        ([CLINICAL], "clinical"),
        ([DISCHARGE], "clinical"),
        ([BIOMEDICAL], "biomedical"),
        (ENGLISH, None),
        (GERMAN, None),
        (["My cell phone cell is dead, and cell coverage is bad. Cell, cell, cell."], None),
        ([], None),
    ],
)
def test_domain(texts, domain):
    found = detect_domain(texts)
    assert found.domain == domain
    assert bool(found.words) == bool(domain)
    assert all(word in " ".join(texts).lower() for word in found.words)


@has_banking
def test_banking_questions_are_english_of_no_domain():
    with BANKING.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert detect_languages(texts) == ("en",)
    assert detect_domain(texts).domain is None


@has_ncbi
def test_abstracts_on_diseases_are_biomedical():
    sentences = NCBI.read_text(encoding="utf-8").split("\n\n")
    texts = [" ".join(line.split("\t")[0] for line in sentence.splitlines()) for sentence in sentences]
    assert detect_languages(texts) == ("en",)
    assert detect_domain(texts).domain == "biomedical"
