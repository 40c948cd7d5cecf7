"""From a trained and evaluated candidate to a stored version, a decision, and a registry that shows both."""

import json
import logging
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.fer import backend, executor, prepared, stage
from components.fer.dataset import SPLITS, Prepared
from components.model_store import lineage, manifest, provenance
from components.model_store.lineage import Lineage
from components.model_store.records import Champion, Verdict, promoted
from components.model_store.store import Store, open_store
from components.model_store.versions import Version
from components.push_model import candidate, comparison, registry
from components.push_model.candidate import Candidate
from components.push_model.config import Config

log = logging.getLogger("ferflow")

PUBLIC = SPLITS.index("public")


def run(config: Config) -> None:
    """Store the candidate, promote it if it is better, bring the registry up to date and write what happened.

    The same command again changes nothing and completes what an earlier one could not.
    """
    registry.check(config.registry)
    provenance.parse(config.provenance)
    store = open_store(config.store)
    pushed = candidate.read(config.model_keras, config.metrics_json, config.predictions_npz, config.audit_json)
    data = prepared.read(config.data)
    candidate.check_data(pushed.predictions, data["public"], config.predictions_npz, config.data)

    champion = store.champion(config.name)
    version = store.find(config.name, pushed.sha256)
    verdict = known_verdict(config, version, store, champion) if version else None
    if version is None or verdict is None:
        backend.select("tensorflow")  # whatever trained the model: its SavedModel is TensorFlow's
        # Keras' backend must be chosen before anything imports Keras.
        from components.fer import models

        model = models.load(config.model_keras)
        verdict = decide(config, pushed, model, data, store, champion)
        version = version or add(config, pushed, model, verdict, store)
    if verdict.decision == "PROMOTE" and (champion is None or champion.version != version.id):
        following = promoted(champion, version.id, verdict, datetime.now(UTC))
        store.move_champion(config.name, champion, following)
        champion = following
    log.info("%s %s: %s (%s)", config.name, version.id, verdict.decision, "; ".join(verdict.reasons))

    aliases = {"champion": champion.version if champion else None, "previous": champion.previous if champion else None}
    registry.mirror(config.registry, config.name, entries(config.name, store, champion), aliases)
    with stage.outputs(config) as out:
        summary = {
            "name": config.name,
            "version": version.id,
            "verdict": verdict.decision,
            "reasons": verdict.reasons,
            "comparison": verdict.paired and asdict(verdict.paired),
            **aliases,
            "store": version.address,
            "registry": registry.printable(config.registry),
        }
        out.version_json.write_text(json.dumps(summary, indent=2) + "\n")


def known_verdict(config: Config, version: Version, store: Store, champion: Champion | None) -> Verdict | None:
    """Find what an earlier push of the same candidate came to, if a comparison now would be the same again."""
    if champion and champion.version == version.id:
        return champion.history[-1].verdict
    with store.fetched(config.name, version.id) as folder:  # whole, or it is refused
        verdict = lineage.parse((folder / lineage.NAME).read_bytes(), version.address).verdict
    against = champion.version if champion else comparison.MAJORITY
    return verdict if (verdict.against, verdict.alpha) == (against, config.alpha) else None


def decide(
    config: Config, pushed: Candidate, model: Any, data: Prepared, store: Store, champion: Champion | None
) -> Verdict:
    """Compare the candidate with the champion, or with the majority class where there is none, on PublicTest."""
    from components.fer import models, predict

    public = data["public"]
    # The champion is scored again, beside the candidate: figures of another day may come from other data.
    if champion is None:
        against = comparison.MAJORITY
        baseline = comparison.majority_correct(data["training"].label, public.label)
    else:
        against = champion.version
        with store.fetched(config.name, against) as folder:
            if manifest.read(folder).files["model.keras"].sha256 == pushed.model_sha256:
                return comparison.identical(against, config.alpha)
            path = folder / "model.keras"
            baseline = candidate.correct(predict.predictions(models.load(path), data, PUBLIC, path))
    scored = predict.predictions(model, data, PUBLIC, config.model_keras)
    candidate.check_model(pushed.predictions, scored, config.predictions_npz, config.model_keras)
    return comparison.verdict(comparison.paired(candidate.correct(scored), baseline), against, config.alpha)


def add(config: Config, pushed: Candidate, model: Any, verdict: Verdict, store: Store) -> Version:
    """Store the candidate's files, its SavedModel and its lineage as a new version."""
    from components.fer import models

    def write(folder: Path) -> None:
        shutil.copyfile(config.model_keras, folder / "model.keras")
        shutil.copyfile(config.metrics_json, folder / "metrics.json")
        shutil.copyfile(config.predictions_npz, folder / "predictions.npz")
        models.export(model, folder / "saved_model")
        record = Lineage(
            name=config.name,
            when=datetime.now(UTC),
            data_md5=pushed.data_md5,
            code=lineage.code(),
            model_sha256=pushed.model_sha256,
            parameter_count=model.count_params(),
            verdict=verdict,
            python=lineage.python(),
            packages=lineage.packages(),
            provenance=provenance.parse(config.provenance),
        )
        (folder / lineage.NAME).write_text(record.model_dump_json(indent=2) + "\n")

    return store.add(config.name, pushed.sha256, write)


def entries(name: str, store: Store, champion: Champion | None) -> list[registry.Entry]:
    """Gather what the registry shall say about each stored version."""
    promotions = {move.version for move in champion.history} if champion else set()
    found = []
    for version in store.versions(name):
        record = lineage.parse(store.read(name, version.id, lineage.NAME), version.address)
        # A push that lost the race for the champion, or died before it, was repeated: what counts is the history.
        decision = "PROMOTE" if version.id in promotions else record.verdict.decision
        metrics = json.loads(store.read(name, version.id, "metrics.json"))
        tags = {"data_md5": record.data_md5, "verdict": decision, **_origin(record)}
        found.append(registry.Entry(version.id, version.address, record.when, tags, executor.numbers(metrics)))
    return found


def _origin(record: Lineage) -> dict[str, str]:
    """The commit, and the run of a submission, as far as they are known."""
    made = record.provenance
    commit, dirty = (made.commit, made.dirty) if made else (record.code.commit, record.code.dirty)
    known = {"commit": commit and f"{commit}{'-dirty' if dirty else ''}", "run": made and made.run}
    return {key: value for key, value in known.items() if value}
