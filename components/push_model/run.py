"""From a trained and evaluated candidate to a stored version, a decision, and a registry that shows both."""

import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.fer import backend, prepared, stage
from components.fer.dataset import SPLITS, Prepared
from components.fer.errors import InputError
from components.fer.metrics import scores
from components.model_store import lineage, manifest, promotion, provenance
from components.model_store.lineage import Lineage
from components.model_store.records import Champion, Verdict, verdict_of
from components.model_store.store import Store, open_store
from components.model_store.versions import Version
from components.push_model import candidate, gate, outcome, serving_check
from components.push_model.candidate import Candidate
from components.push_model.config import Config
from components.registry import mirrors
from components.serve import runtime

log = logging.getLogger("ferflow")

PUBLIC = SPLITS.index("public")


def run(config: Config) -> None:
    """Store the candidate, promote it if it is better, bring the registry up to date and write what happened.

    The same command again changes nothing and completes what an earlier one could not.
    """
    mirrors.check(config.registry)
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
        if version is None:
            version, verdict = add(config, pushed, model, verdict, data, store)
        else:
            with store.fetched(config.name, version.id) as folder:
                verdict = served(folder, pushed, model, verdict, data)
    verdict = promotion.barred(champion, version.id, verdict)
    champion = promotion.by_gate(store, config.name, champion, version.id, verdict)
    log.info("%s %s: %s (%s)", config.name, version.id, verdict.decision, "; ".join(verdict.reasons))
    mirrors.mirror(config.registry, config.name, store)
    with stage.outputs(config) as out:
        summary = {
            "name": config.name,
            "version": version.id,
            "verdict": verdict.decision,
            "reasons": verdict.reasons,
            "champion": champion.version if champion else None,
            "previous": champion.previous if champion else None,
            "store": version.address,
            "registry": mirrors.printable(config.registry),
        }
        out.version_json.write_text(json.dumps(summary, indent=2) + "\n")
        _tell(config, pushed, verdict, version, store, out)


def _tell(config: Config, pushed: Candidate, verdict: Verdict, version: Version, store: Store, out: Config) -> None:
    """Write the verdict, with what it was compared with then, and the blessing."""
    champion = next((found for found in store.versions(config.name) if found.id == verdict.against), None)
    digests = {"model_sha256": pushed.model_sha256, "candidate_sha256": pushed.sha256, "data_md5": pushed.data_md5}
    baseline = _baseline(config.name, champion, store) if champion else None
    tree = outcome.tree(config.name, verdict, {"version": version.id, **digests}, baseline)
    out.verdict_json.write_text(json.dumps(tree, indent=2, allow_nan=False) + "\n")
    outcome.bless(out.blessing, verdict.decision == "PROMOTE", version, champion)


def _baseline(name: str, champion: Version, store: Store) -> dict[str, str]:
    """Version and digests of what the candidate was compared with; a version that was damaged since has no digests."""
    baseline = {"version": champion.id}
    try:
        made = lineage.parse(store.read(name, champion.id, lineage.NAME), champion.address)
    except InputError as error:
        log.warning("%s %s is damaged, so verdict.json has no digests of it: %s", name, champion.id, error)
        return baseline
    return {**baseline, "model_sha256": made.model_sha256, "data_md5": made.data_md5}


def known_verdict(config: Config, version: Version, store: Store, champion: Champion | None) -> Verdict | None:
    """Find what an earlier push of the same candidate came to, if a comparison now would be the same again."""
    with store.fetched(config.name, version.id) as folder:  # whole, or it is refused
        verdict = lineage.parse((folder / lineage.NAME).read_bytes(), version.address).verdict
    against = champion.version if champion else gate.MAJORITY
    if against == version.id:  # its push may have been interrupted behind the promotion
        verdict = verdict_of(champion, version.id, verdict)
        against = verdict.against
    return verdict if (verdict.against, verdict.rules) == (against, config.rules()) else None


def decide(
    config: Config, pushed: Candidate, model: Any, data: Prepared, store: Store, champion: Champion | None
) -> Verdict:
    """Hold the candidate to the floors, and to the champion where there is one, on PublicTest.

    Raises `InputError` where the champion answers other expressions than the candidate.
    """
    from components.fer import models, predict

    rules, serving = config.rules(), None
    # The champion is scored again, beside the candidate: figures of another day may come from other data.
    if champion:
        with store.fetched(config.name, champion.version) as folder:
            if manifest.read(folder).files["model.keras"].sha256 == pushed.model_sha256:
                return gate.identical(champion.version, rules)
            path = folder / "model.keras"
            serves = models.load(path)
            if serves.output_shape != model.output_shape:
                raise InputError(
                    f"champion {champion.version} of {config.name}: expected answers of {model.output_shape[-1]} "
                    f"expressions, as the candidate's are, received {serves.output_shape[-1]}.",
                    "Give models of other expressions a name of their own: registry.name in params.yaml.",
                )
            answers = predict.predictions(serves, data, PUBLIC, path)
        serving = gate.Champion(champion.version, answers.probabilities)
    scored = predict.predictions(model, data, PUBLIC, config.model_keras)
    candidate.check_model(pushed.predictions, scored, config.predictions_npz, config.model_keras)
    public, majority = data["public"], scores.majority_class(data["training"].label)
    images = gate.Images(public.label, candidate.copies(public.images), majority)
    return gate.judge(scored.probabilities, serving, images, rules)


def served(folder: Path, pushed: Candidate, model: Any, verdict: Verdict, data: Prepared) -> Verdict:
    """The verdict after what `folder` serves was held to what evaluation saw: REJECT where it answers otherwise.

    What is rejected already cannot serve, and is spared the seconds that this takes.
    """
    from components.push_model import exported

    if verdict.decision == "REJECT":
        return verdict
    seen = pushed.predictions.probabilities[pushed.predictions.usage == candidate.PUBLIC]
    return serving_check.held(verdict, serving_check.checks(folder, data["public"], seen, exported.precision(model)))


def add(
    config: Config, pushed: Candidate, model: Any, verdict: Verdict, data: Prepared, store: Store
) -> tuple[Version, Verdict]:
    """Store the candidate's files, what is made of them to serve, and its lineage as a new version.

    Gives the version and its verdict. What serves is checked before the version is sealed: so its lineage says what
    came of it to whoever would promote it later, and the files that were checked are those that are stored.
    """
    from components.push_model import exported

    judged = [verdict]

    def write(folder: Path) -> None:
        shutil.copyfile(config.model_keras, folder / "model.keras")
        shutil.copyfile(config.metrics_json, folder / "metrics.json")
        shutil.copyfile(config.predictions_npz, folder / "predictions.npz")
        exported.saved_model(model, folder / "saved_model")
        exported.light(model, folder / "saved_model", folder / runtime.NAME)
        judged.append(served(folder, pushed, model, verdict, data))
        made = provenance.parse(config.provenance)
        if made:
            (folder / provenance.PARAMETERS).write_text(json.dumps(dict(made.parameters), indent=2) + "\n")
        record = Lineage(
            name=config.name,
            when=datetime.now(UTC),
            data_md5=pushed.data_md5,
            prepared_md5=lineage.md5(config.data) if config.data.is_file() else None,
            code=lineage.code(),
            model_sha256=pushed.model_sha256,
            parameter_count=model.count_params(),
            verdict=judged[-1],
            python=lineage.python(),
            packages=lineage.packages(),
            provenance=made,
        )
        (folder / lineage.NAME).write_text(record.model_dump_json(indent=2) + "\n")

    version = store.add(config.name, pushed.sha256, write)
    return version, judged[-1]
