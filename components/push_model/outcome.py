"""What comes of a push for those after it: the verdict as a tree for machines, and as TFX's blessing."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.model_store import versions
from components.model_store.records import Verdict
from components.model_store.versions import Version


def tree(name: str, verdict: Verdict, candidate: dict[str, str], champion: dict[str, str] | None) -> dict[str, Any]:
    """The content of verdict.json: the verdict, whose it is, and how often PrivateTest was opened for this model.

    `candidate` and `champion`, what it was compared with, have the version and digests. Each stored version was
    evaluated once before it was stored, so the number of a version counts the times.
    """
    return {
        "name": name,
        **asdict(verdict),
        "candidate": candidate,
        "champion": champion,
        "private_opened": versions.number(candidate["version"]),
    }


def bless(folder: Path, blessed: bool, candidate: Version, champion: Version | None) -> None:
    """Write a folder as TFX's Evaluator does: an empty file BLESSED or NOT_BLESSED.

    What TFX keeps beside it in ML Metadata, the artifact's custom properties, is in properties.json under TFX's names:
    addresses of both models and, as their ids, the numbers of their versions.
    """
    properties = {
        "blessed": int(blessed),
        "current_model": candidate.address,
        "current_model_id": versions.number(candidate.id),
    }
    if champion:
        properties |= {"baseline_model": champion.address, "baseline_model_id": versions.number(champion.id)}
    folder.mkdir()
    (folder / ("BLESSED" if blessed else "NOT_BLESSED")).touch()
    (folder / "properties.json").write_text(json.dumps(properties, indent=2) + "\n")
