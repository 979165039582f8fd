"""What others published of the same tasks."""

from __future__ import annotations

from typing import Dict

# Accuracy % as the papers print it. Those of HINT3 are of the first version of its labels.
PUBLISHED: Dict[str, Dict[str, float]] = {
    "CPFT (published, fine-tuned)": {
        "banking77_5shot": 80.9, "banking77_10shot": 87.2, "clinc150_5shot": 92.3,
        "hwu64_5shot": 82.0,
    },
    "DNNC (published, fine-tuned)": {
        "banking77_5shot": 80.4, "banking77_10shot": 86.7, "clinc150_5shot": 91.0,
        "hwu64_5shot": 80.5,
    },
    "USE + ConveRT (published)": {
        "banking77_5shot": 77.8, "banking77_10shot": 85.2, "clinc150_5shot": 90.5,
        "hwu64_5shot": 80.0,
    },
    "BERT, HINT3 v1 (published, fine-tuned)": {"sofmattress": 73.6, "powerplay11": 58.5},
    "Rasa with ConveRT + DIET, HINT3 v1 (published)": {"sofmattress": 69.3, "powerplay11": 49.1},
    "Dialogflow, HINT3 v1 (published)": {"sofmattress": 73.2, "powerplay11": 59.6},
    "LUIS, HINT3 v1 (published)": {"sofmattress": 59.3, "powerplay11": 48.0},
    "Haptik, HINT3 v1 (published)": {"sofmattress": 72.3, "powerplay11": 66.5},
}  # fmt: skip
SOURCES = (
    "Published: CPFT: Zhang et al., 2021, arXiv:2109.06349; DNNC: Zhang et al., 2020, "
    "arXiv:2010.13009; USE + ConveRT: Casanueva et al., 2020, arXiv:2003.04807; HINT3: Arora et "
    "al., 2020, arXiv:2009.13833, measured on the first version of its labels."
)
