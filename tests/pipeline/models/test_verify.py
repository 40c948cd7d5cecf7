"""`ferflow models verify`: each link of a version's lineage, and what a changed byte in it comes to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluate.measure import Sample, Settings, measure_all
from components.fer.dataset import USAGES, Predictions
from components.fer.errors import InputError
from components.model_store import lineage, manifest
from components.model_store.versions import Version, candidate_sha256, identity
from components.registry import mirrors
from pipeline.desk import ROOT
from pipeline.models.place import Place
from pipeline.models.verify import links, verify
from tests.components.model_store.made import NAME, make
from tests.pipeline.models.conftest import Desk, git

# MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


def flip(path: Path) -> None:
    """Change one bit of one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def told(desk: Desk, version: Version) -> dict[str, tuple[str, str]]:
    return {link.name: (link.state, link.told.partition("\n")[0]) for link in links(desk.place, version)}


def broken(desk: Desk, version: Version) -> tuple[str, str]:
    """Name and text of the last link, which is the broken one."""
    *whole, last = links(desk.place, version)
    assert last.state == "broken"
    assert all(link.state != "broken" for link in whole)
    return last.name, last.told


def test_a_whole_version_is_whole_link_by_link(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    version = desk.made(60)
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    found = told(desk, version)
    assert {name: state for name, (state, _) in found.items()} == {
        "files": "whole",
        "candidate": "whole",
        "data": "whole",
        "prepared": "whole",
        "code": "whole",
        "images": "not checked",
        "run": "not checked",
        "parameters": "whole",
        "weights": "whole",
        "metrics": "whole",
        "registry": "whole",
    }
    verify(desk.place, None, every=False)
    assert capsys.readouterr().out.startswith(f"{NAME} {version.id}\n  files       whole        6 files\n")


@pytest.mark.parametrize(
    ("file", "link", "said"),
    [
        ("data/fer2013.csv", "data", "data/fer2013.csv: expected md5 "),
        ("artifacts/prepared.pickle", "prepared", "artifacts/prepared.pickle: expected md5 "),
        ("VERSION/model.keras", "files", "version VERSION: model.keras is not what was stored"),
        ("VERSION/saved_model/saved_model.pb", "files", "version VERSION: saved_model/saved_model.pb is not what was"),
        ("VERSION/parameters.json", "files", "version VERSION: parameters.json is not what was stored"),
        ("VERSION/metrics.json", "files", "version VERSION: metrics.json is not what was stored"),
        ("VERSION/predictions.npz", "files", "version VERSION: predictions.npz is not what was stored"),
        ("VERSION/lineage.json", "files", "version VERSION: lineage.json is not what was stored"),
        ("VERSION/manifest.json", "files", "version VERSION: expected a whole manifest.json, found none."),
    ],
)
def test_one_byte_changed_anywhere_is_named(desk: Desk, file: str, link: str, said: str) -> None:
    version = desk.made(60)
    flip(desk.folder / file.replace("VERSION", version.address))
    name, text = broken(desk, version)
    assert name == link
    assert text.startswith(said.replace("VERSION", version.address))


def forge(version: Version, change: Callable[[Path], None]) -> None:
    """Change files of a version, and its manifest with them, as somebody does who knows how."""
    folder = Path(version.address)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    change(folder)
    described = manifest.describe(folder, manifest.read(folder).candidate)
    (folder / "manifest.json").write_text(described.model_dump_json(indent=2) + "\n")


def edit(file: str, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).write_text(json.dumps(json.loads((folder / file).read_text()) | changes))

    return change


def gone(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


def holds(file: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return change


def restored(desk: Desk, version: Version, change: Callable[[Path], None]) -> Version:
    """The only version, as if its files had been stored as `change` leaves them: it is named by them."""
    forge(version, change)
    folder = Path(version.address)
    digests = [manifest.sha256(folder / name) for name in ("model.keras", "metrics.json", "predictions.npz")]
    sha256 = candidate_sha256(digests, json.loads((folder / "lineage.json").read_text())["data_md5"])
    (folder / "manifest.json").write_text(manifest.describe(folder, sha256).model_dump_json())
    folder.rename(folder.with_name(identity(1, sha256)))
    (again,) = desk.store.versions(NAME)
    return again


@pytest.mark.parametrize(
    ("change", "link", "said"),
    [
        (edit("metrics.json", public={"accuracy": 0.9}), "candidate", "expected the candidate that 0001-"),
        (edit("lineage.json", data_md5="0" * 32), "candidate", "expected the candidate that 0001-"),
        (edit("parameters.json", training__seed=2), "parameters", "parameters.json: expected the parameters of"),
        (edit("lineage.json", model_sha256="0" * 64), "weights", "model.keras: expected sha256 0000"),
        (edit("lineage.json", prepared_md5=None), "registry", "sqlite:///"),
    ],
)
def test_a_forged_manifest_does_not_hide_it(desk: Desk, change: Callable[[Path], None], link: str, said: str) -> None:
    version = desk.made(60)
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    forge(version, change)
    name, text = broken(desk, version)
    assert name == link
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("change", "link", "said"),
    [
        (gone("model.keras"), "candidate", "version VERSION: model.keras is missing."),
        (gone("metrics.json"), "candidate", "version VERSION: metrics.json is missing."),
        (gone("predictions.npz"), "candidate", "version VERSION: predictions.npz is"),
        (gone("lineage.json"), "files", "version VERSION: lineage.json is missing."),
        (holds("lineage.json", b"{broken"), "files", "version VERSION: expected a lineage"),
        (
            holds("parameters.json", b"{broken"),
            "parameters",
            "version VERSION, parameters.json: expected a JSON object, received: Expecting property name",
        ),
        (
            holds("parameters.json", b"\xff"),
            "parameters",
            "version VERSION, parameters.json: expected a JSON object, received: 'utf-8'",
        ),
        (
            holds("parameters.json", b"[1]"),
            "parameters",
            "version VERSION, parameters.json: expected a JSON object, received a list.",
        ),
        (gone("parameters.json"), "parameters", "version VERSION: parameters.json is missing."),
    ],
)
def test_a_forged_file_that_is_none_is_a_broken_link(
    desk: Desk, change: Callable[[Path], None], link: str, said: str
) -> None:
    version = desk.made(60)
    forge(version, change)
    name, text = broken(desk, version)
    assert name == link
    assert text.startswith(said.replace("VERSION", version.address))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("metrics.json", b"{broken", ", metrics.json: expected a JSON object, received: Expecting property name"),
        ("metrics.json", b"[]", ", metrics.json: expected a JSON object, received a list."),
        ("metrics.json", b'{"public": []}', "expected a number public.accuracy, received None."),
        ("predictions.npz", b"no array", "damaged, or no .npz of arrays"),
    ],
)
def test_metrics_and_predictions_that_were_stored_broken_are_a_broken_link(
    desk: Desk, file: str, content: bytes, said: str
) -> None:
    """Nobody changed a byte, and the version is named by them: it was stored so."""
    name, text = broken(desk, restored(desk, make(desk.store, 60), holds(file, content)))
    assert name == "metrics"
    assert said in text


def test_metrics_that_are_not_those_of_the_predictions_are_named(desk: Desk) -> None:
    """Nobody changed a byte: it was stored so."""
    again = restored(desk, make(desk.store, 60), edit("metrics.json", public={"accuracy": 0.9}))
    name, text = broken(desk, again)
    assert name == "metrics"
    assert "public.accuracy is 0.9000, but predictions" in text


FIGURES = json.loads((ROOT / "results" / "evaluate" / "metrics.json").read_text())


def test_the_figures_of_a_version_are_measured_again(desk: Desk) -> None:
    version = restored(desk, make(desk.store, 60), measured)
    tree = json.loads(Path(version.address, "metrics.json").read_text())
    assert tree["public"].keys() == FIGURES["public"].keys()  # those of a real run
    assert told(desk, version)["metrics"] == ("whole", "accuracy on PublicTest 0.6000, as of the predictions")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("public.macro_f1", 0.9, "is 0.9, but predictions give 0.59"),
        ("public.balanced_accuracy", None, "is None, but predictions give 0.6"),
        ("public.confusion.0.1", 99, "public.confusion[0][1] is 99, but predictions give 6"),
        ("public.confusion", [], "public.confusion is [], but predictions give [[9, 6, "),
        ("public.per_class.3.recall", 1, "public.per_class[3].recall is 1, but predictions give 0."),
        ("private.full.accuracy", float("nan"), "private.full.accuracy is nan, but predictions give 0.0"),
        ("private.full.confusion.2.2", 5, "private.full.confusion[2][2] is 5, but predictions give 0"),
        ("private.full.n", 21, "private.full.n is 21, but predictions give 20"),
        ("private", "none", "private is none, but predictions give {'full': "),
        ("public.accuracy", 10**400, "public.accuracy is 1000"),
        ("public.per_class.3.recall", 10**400, "public.per_class[3].recall is 1000"),
        ("temperature", 19.0, "negative_log_likelihood_scaled is "),
        ("temperature", 1e-300, "metrics: expected a temperature from 0.05 to 20, received 1e-300."),
        ("majority_baseline.public", 0.9, "majority_baseline.public is 0.9, but predictions give 0.14"),
    ],
)
def test_a_figure_that_is_not_that_of_the_predictions_is_named(desk: Desk, path: str, value: Any, said: str) -> None:
    def change(folder: Path) -> None:
        measured(folder)
        tree: Any = json.loads((folder / "metrics.json").read_text())
        *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
        part = tree
        for key in parents:
            part = part[key]
        part[last] = value
        (folder / "metrics.json").write_text(json.dumps(tree))

    name, text = broken(desk, restored(desk, make(desk.store, 60), change))
    assert (name, said in text) == ("metrics", True), text


def test_probabilities_that_are_none_are_named(desk: Desk) -> None:
    def change(folder: Path) -> None:
        made: Any = Predictions.load(folder / "predictions.npz")
        made.probabilities[3] = np.nan
        (folder / "predictions.npz").unlink()
        made.save(folder / "predictions.npz")
        right = float(np.mean((made.probabilities.argmax(axis=1) == made.label)[made.usage == 1]))
        (folder / "metrics.json").write_text(json.dumps({"public": {"accuracy": right}}))

    name, text = broken(desk, restored(desk, make(desk.store, 60), change))
    assert name == "metrics"
    assert "expected probabilities that sum to 1, received others in 1 rows, the first of source row 3." in text


def measured(folder: Path) -> None:
    """Write the metrics of the predictions, as evaluate does; those of made copies are no figures of predictions."""
    made = Predictions.load(folder / "predictions.npz")
    copies = np.arange(len(made.label), dtype=np.int32) // 2
    samples = [
        Sample(made.probabilities[mine], made.label[mine], copies[mine], None)
        for mine in (made.usage == USAGES.index(usage) for usage in ("PublicTest", "PrivateTest"))
    ]
    tree = measure_all(samples[0], {"full": samples[1]}, Settings(1.1, 3, 100, 1))
    (folder / "metrics.json").write_text(json.dumps(tree))


def with_provenance(desk: Desk, **changes: Any) -> Version:
    """A version of the code that is here, submitted."""
    code = lineage.code(desk.folder / "components")
    made: dict[str, Any] = {"commit": code.commit, "dirty": False, "images": {}, "parameters": {}, "run": "a-run"}
    return make(desk.store, 60, code=code, provenance=made | changes)


@pytest.mark.parametrize("image", ["registry/ferflow-train:latest", "registry/ferflow-train@sha256:abc", ""])
def test_an_image_without_a_digest_is_named(desk: Desk, image: str) -> None:
    whole = f"registry/ferflow-validate@sha256:{'a' * 64}"
    version = with_provenance(desk, images={"validate": whole, "train": image})
    name, text = broken(desk, version)
    assert (name, text.partition("\n")[0]) == (
        "images",
        f"image of train: expected NAME@sha256:DIGEST, found {image}.",
    )


def test_the_run_is_that_of_the_registry(desk: Desk) -> None:
    version = with_provenance(desk)
    where = mirrors.printable(desk.place.registry)
    assert told(desk, version)["run"] == ("not checked", f"a-run: {where} has not the version")
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    assert told(desk, version)["run"] == ("whole", f"a-run, as {where} has it")
    away = Place(desk.store, NAME, "kubeflow+http://127.0.0.1:9", desk.folder)
    found = {link.name: link for link in links(away, version)}["run"]
    assert (found.state, found.told.startswith("a-run: registry kubeflow+http")) == ("not checked", True)


def test_another_run_than_that_of_the_registry_is_named(desk: Desk) -> None:
    version = with_provenance(desk)
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    made = json.loads(Path(version.address, "lineage.json").read_text())["provenance"]
    forge(version, edit("lineage.json", provenance=made | {"run": "no-such-run"}))
    name, text = broken(desk, version)
    where = mirrors.printable(desk.place.registry)
    assert (name, text.partition("\n")[0]) == ("run", f"run: lineage.json names no-such-run, {where} a-run.")


def test_a_commit_that_git_has_lost_is_named(desk: Desk) -> None:
    version = desk.made(60)
    git(desk.folder, "commit", "--amend", "-m", "another")
    git(desk.folder, "reflog", "expire", "--expire=now", "--all")
    git(desk.folder, "gc", "--prune=now")
    name, text = broken(desk, version)
    assert (name, "expected it in git, found none" in text) == ("code", True)


def test_sources_that_are_not_the_commits_are_named(desk: Desk) -> None:
    (desk.folder / "components" / "model_store" / "lineage.py").write_text("other code\n")
    version = desk.made(60)
    assert told(desk, version)["code"] == ("broken", told(desk, version)["code"][1])
    assert "its sources are not those that ran" in told(desk, version)["code"][1]


def test_a_registry_that_says_something_else_is_named(desk: Desk) -> None:
    version = desk.made(60)
    assert broken(desk, version) == (
        "registry",
        f"{mirrors.printable(desk.place.registry)}: version {version.id} is not there.\nferflow models sync",
    )


def test_what_cannot_be_checked_here_is_said(desk: Desk) -> None:
    version = make(desk.store, 60)
    for name in ("dvc.lock", "mlflow.db"):
        (desk.folder / name).unlink()
    found = told(desk, version)
    assert {name for name, (state, _) in found.items() if state == "not checked"} == {
        "data",
        "prepared",
        "code",
        "images",
        "run",
        "parameters",
        "registry",
    }
    assert found["code"] == ("not checked", "no commit is known")
    assert found["registry"] == ("not checked", f"{mirrors.printable(desk.place.registry)} is not here")


def test_a_registry_that_cannot_be_reached_is_no_broken_link(desk: Desk) -> None:
    version = desk.made(60)
    away = Place(desk.store, NAME, "kubeflow+http://127.0.0.1:9", desk.folder)
    *_, last = links(away, version)
    assert (last.name, last.state) == ("registry", "not checked")
    assert last.told.startswith("registry kubeflow+http://127.0.0.1:9: Cannot connect")


def test_the_data_of_another_version_is_no_damage_of_this_one(desk: Desk) -> None:
    version = desk.made(60)
    (desk.folder / "data" / "fer2013.csv").write_text("another data set")
    (desk.folder / "dvc.lock").write_text("stages: {}")
    assert told(desk, version)["data"][0] == "not checked"


def test_all_goes_on_after_a_broken_version(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = desk.made(60), desk.made(70)
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    flip(Path(first.address, "model.keras"))
    with pytest.raises(InputError) as raised:
        verify(desk.place, None, every=True)
    assert str(raised.value).startswith(f"version {first.id} of {NAME}, files: version {first.address}: model.keras is")
    assert second.id in capsys.readouterr().out
    verify(desk.place, second.id, every=False)


def test_without_a_champion_there_is_nothing_to_verify_by_default(desk: Desk) -> None:
    desk.made(60, "HOLD")
    with pytest.raises(InputError) as raised:
        verify(desk.place, None, every=False)
    assert str(raised.value) == f"champion of {NAME}: expected one, found none.\nferflow models verify --all"
