"""Whether texts are clinical (the vocabulary of patient notes) or biomedical (that of the literature).

English only, as the models for these domains are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tunekit_hub.records import Domain

_WORD = re.compile(r"[a-z][a-z0-9]+")
_SHARE = 0.02  # of all words; ordinary chat, banking and school mathematics stay under 0.001
_DIFFERENT = 5  # words that must occur, so that one product name does not decide
_NAMED = 8  # words that are told

_CLINICAL = """
    abd adm admitted afebrile ambulating anticoagulation auscultation bilaterally bmp bp cbc comorbidities copd
    creatinine cxr denies diaphoresis discharge discharged distended dyspnea ecg edema ekg extremities febrile
    hematuria hgb hospitalization hx hypertension hypotension icu inpatient intubated iv lasix metoprolol mg
    murmur nontender npo outpatient palpation palpitations prn pt qd qhs rales sob subq tachycardia tid vitals
    wbc wheezing
"""
_BIOMEDICAL = """
    allele alleles apoptosis autosomal carcinoma cdna cell cells chromosomal chromosome cytokine deficiency dna
    enzyme enzymes exon exons gene genes genetic genome genomic genotype germline heterozygous histone homologous
    homozygous hybridization inhibitor inhibitors kinase ligand loci locus mice missense mrna murine mutant
    mutation mutations nucleotide oncogene pathogenesis peptide phenotype phosphorylation plasmid polymerase
    polymorphism protein proteins receptor receptors recessive rna serum somatic syndrome transcription tumor
    tumors tumour vitro vivo
"""
_VOCABULARIES: dict[Domain, frozenset[str]] = {
    "clinical": frozenset(_CLINICAL.split()),
    "biomedical": frozenset(_BIOMEDICAL.split()),
}


class Found(NamedTuple):
    """A domain, or none; and the words that gave it away, most frequent first."""

    domain: Domain | None
    words: tuple[str, ...] = ()


def detect_domain(texts: Iterable[str]) -> Found:
    """The domain whose words make up the larger share, if either is large enough."""
    words = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    total = sum(words.values())
    shares: dict[Domain, float] = {}
    for domain, vocabulary in _VOCABULARIES.items():
        used = vocabulary & words.keys()
        if len(used) >= _DIFFERENT:
            shares[domain] = sum(words[word] for word in used) / total
    best = max(shares, key=shares.__getitem__, default=None)
    if best is None or shares[best] < _SHARE:
        return Found(None)
    told = sorted(_VOCABULARIES[best] & words.keys(), key=lambda word: (-words[word], word))
    return Found(best, tuple(told[:_NAMED]))
