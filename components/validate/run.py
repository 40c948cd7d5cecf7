"""The stage: read, audit, hold to expectations, write."""

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from components.fer import stage
from components.fer.dataset import USAGES, expression_count
from components.fer.errors import InputError
from components.validate import audit, figures
from components.validate.config import Config
from components.validate.reader import read
from components.validate.source import FETCH, GENUINE_MD5, Source
from components.validate.splits import Rule

log = logging.getLogger("ferflow")


def run(config: Config) -> None:
    """Validate a data set and write its arrays, masks, figures and Data Docs.

    Raises `InputError` where it is faulty, or claims to be the genuine FER2013 and does not hold its published counts.
    """
    started = time.perf_counter()
    rule = Rule(config.split, config.test_share, config.split_seed)
    data = read(config.path, config.md5, rule, config.expressions, config.ferplus)
    faces = data.faces
    expressions = expression_count(faces.label)
    log.info("%s: %s images in %.1f s", config.path, f"{len(faces.label):,}", time.perf_counter() - started)
    for name, count in data.left_out.items():
        log.info("left out: %s images of %s, none of the %d expressions", f"{count:,}", name, config.expressions)
    masks = audit.masks(faces, config.near_correlation)
    counted = figures.figures(faces, masks, config.near_correlation)
    for usage, clean in zip(USAGES[1:], figures.clean(faces, masks).values(), strict=True):
        log.info(
            "%s: %s images, %s without an exact copy in Training, %s without a near one (correlation %g)",
            *(usage, f"{clean['full']:,}", f"{clean['exact']:,}", f"{clean['near']:,}", config.near_correlation),
        )
    log.info(
        "%s surplus copies, %s images with conflicting labels, %s constant images",
        *(f"{found:,}" for found in (figures.surplus(masks), masks.conflict.sum(), masks.constant.sum())),
    )

    # Great Expectations takes seconds to load, and tells its steps: a broken data set is told of before.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    from components.validate import data_docs, expectations
    from components.validate.facts import facts

    genuine = data.md5 == GENUINE_MD5 and config.split == "official" and not config.ferplus
    expected = expectations.sane_ranges(config.near_correlation, expressions)
    if genuine:
        expected = [*expectations.published_counts(), *expected]
    result = expectations.hold(facts(faces, masks), expected)
    failures = expectations.failures(result)
    if genuine and failures:
        told = [f"data set {config.path}: not the published FER2013:", *(f"  {failure}" for failure in failures)]
        raise InputError("\n".join(told), FETCH)
    for failure in failures:
        log.warning("unusual: %s", failure)
    log.info("%d of %d expectations met", len(expected) - len(failures), len(expected))

    source = {"layout": data.layout, "md5": data.md5, "published_counts_hold": genuine, **_peculiar(data, config)}
    with stage.outputs(config) as out:
        faces.save(out.faces_npz)
        masks.save(out.masks_npz)
        out.audit_json.write_text(json.dumps({"source": source, **counted}, indent=2) + "\n", encoding="utf-8")
        data_docs.write(result, out.data_docs)
    log.info("validated in %.1f s; %s", time.perf_counter() - started, config.data_docs / "index.html")


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def _peculiar(data: Source, config: Config) -> dict[str, Any]:
    """What the reader of the audit should know of a data set that is not used as its authors gave it out, whole."""
    by_seed = [usage for usage in USAGES if config.split == "random" or usage not in data.usages]
    votes = {"md5": _md5(Path(config.ferplus))} if config.ferplus else {}
    found = {"labels_by_ferplus": votes, "left_out": dict(data.left_out), "drawn_by_seed": by_seed}
    return {name: value for name, value in found.items() if value}
