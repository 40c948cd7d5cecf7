"""Checkpoints: whose they are, which of them counts, what is refused by name."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.fer.checkpoint import Checkpoints, Identity, checkpoints
from components.fer.dataset import Faces, Prepared
from components.fer.errors import InputError
from components.storage import blobs
from components.train_backbone.config import Config
from tests.components.fer.conftest import SMALL
from tests.components.training_argv import few_splits

IDENTITY = Identity("data", {"first_keras": "abc"}, {"epochs": 2, "seed": 1}, {"keras": "3.15.1"})


def place(folder: Path, identity: Identity = IDENTITY) -> Checkpoints:
    return Checkpoints(blobs.open_blobs(str(folder), "training"), identity)


def state(step: int) -> dict[str, np.ndarray]:
    return {"model/00000": np.full((2, 3), step, np.float32)}


def test_the_newest_comes_back_and_two_are_kept(tmp_path: Path) -> None:
    kept = place(tmp_path)
    assert kept.latest() is None
    for step in (3, 20, 100):
        kept.save(step, state(step), {"step": step})
    found = kept.latest()
    assert found is not None
    assert found.course == {"step": 100}
    assert np.array_equal(found.arrays["model/00000"], state(100)["model/00000"])
    assert [path.name[:13] for path in sorted((tmp_path / "training").iterdir())] == ["step-00000020", "step-00000100"]


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_one_is_passed_over(damage: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = place(tmp_path)
    for step in (1, 2):
        kept.save(step, state(step), {"step": step})
    newest = max((tmp_path / "training").iterdir())
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    found = kept.latest()
    assert found is not None
    assert found.course == {"step": 1}
    assert caplog.messages == [f"checkpoint {newest}: damaged or half-written, passed over."]


def test_where_all_are_damaged_a_training_begins(tmp_path: Path) -> None:
    kept = place(tmp_path)
    kept.save(1, state(1), {})
    for path in (tmp_path / "training").iterdir():
        path.write_bytes(b"")
    assert kept.latest() is None


@pytest.mark.parametrize("damaged", [(90, 100), (100,)])
def test_damaged_ones_do_not_push_out_what_is_saved_behind_an_earlier_step(
    damaged: tuple[int, ...], tmp_path: Path
) -> None:
    kept = place(tmp_path)
    for step in (90, 100):
        kept.save(step, state(step), {"step": step})
    for step in damaged:
        next((tmp_path / "training").glob(f"step-{step:08d}-*")).write_bytes(b"half")
    for step in (91, 92):
        kept.save(step, state(step), {"step": step})
        found = kept.latest()
        assert found is not None
        assert found.course == {"step": step}
    assert [path.name[:13] for path in sorted((tmp_path / "training").iterdir())] == ["step-00000091", "step-00000092"]


def test_the_right_hash_of_something_else(tmp_path: Path) -> None:
    content = b"not an array"
    name = f"step-00000001-{hashlib.sha256(content).hexdigest()}.npz"
    place(tmp_path).place.write(name, content)
    with pytest.raises(InputError, match=f"checkpoint .*{name}: expected a training's state, received"):
        place(tmp_path).latest()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": "other"}, "data: expected other, received data"),
        ({"inputs": {"first_keras": "def"}}, "inputs.first_keras: expected def, received abc"),
        ({"inputs": {}}, "inputs.first_keras: expected None, received abc"),
        ({"parameters": {"epochs": 2, "seed": 7}}, "parameters.seed: expected 7, received 1"),
        ({"code": {"keras": "4.0.0"}}, "code.keras: expected 4.0.0, received 3.15.1"),
    ],
)
def test_that_of_another_training_is_refused_by_name(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    place(tmp_path).save(1, state(1), {})
    other = place(tmp_path, dataclasses.replace(IDENTITY, **change))
    with pytest.raises(InputError, match=f"it is of another training. {told}."):
        other.latest()


def test_cleared_none_are_left(tmp_path: Path) -> None:
    kept = place(tmp_path)
    kept.save(1, state(1), {})
    kept.clear()
    assert not list(tmp_path.glob("*/*"))


@pytest.fixture
def data(made: Faces) -> Prepared:
    return few_splits(made)


def config(folder: Path, **changes: Any) -> Config:
    """Configuration of a training with a teacher."""
    outputs = {name: folder / name for name in ("model_keras", "history_csv", "metrics_json")}
    backbone = {"architecture": "vgg_small", "weights": "none", "freeze": "none", "data": folder / "prepared.pickle"}
    values = {**SMALL, **backbone, **outputs, "checkpoints": str(folder / "kept"), "teachers": str(folder / "teacher")}
    return Config.model_validate({**values, **changes})


def digest(config: Config, data: Prepared) -> str:
    found = checkpoints(config, data)
    assert found is not None
    return found.identity.digest


def test_what_decides_the_outcome_makes_another_training(data: Prepared, tmp_path: Path) -> None:
    (tmp_path / "teacher").write_bytes(b"a teacher")
    (tmp_path / "start").write_bytes(b"a start")
    (tmp_path / "weights").mkdir()
    before = digest(config(tmp_path), data)
    training = data["training"]
    relabelled = {**data, "training": dataclasses.replace(training, label=(training.label + 1) % 7)}
    reordered = {**data, "training": dataclasses.replace(training, row=training.row[::-1])}
    unlike = [
        digest(config(tmp_path, seed=2), data),
        digest(config(tmp_path, start_keras=tmp_path / "start"), data),
        digest(config(tmp_path, teacher_keras=tmp_path / "start"), data),
        digest(config(tmp_path), relabelled),
        digest(config(tmp_path), reordered),  # votes and teachers go by the row
    ]
    (tmp_path / "teacher").write_bytes(b"another")
    unlike.append(digest(config(tmp_path), data))
    for content in (b"published", b"published again"):
        (tmp_path / "weights" / "mobilenet_v2.h5").write_bytes(content)
        unlike.append(digest(config(tmp_path, weights=str(tmp_path / "weights")), data))
    assert len({before, *unlike}) == 9


def test_what_does_not_decide_the_outcome_is_left_out(data: Prepared, tmp_path: Path) -> None:
    (tmp_path / "teacher").write_bytes(b"a teacher")
    moved = config(tmp_path, checkpoints=str(tmp_path / "elsewhere"), data=tmp_path / "prepared.tfrecord")
    unseen = {**data, "private": data["public"]}
    assert digest(moved, unseen) == digest(config(tmp_path), data)


def test_an_artifact_may_lie_elsewhere(data: Prepared, tmp_path: Path) -> None:
    """As in the next run on a cluster, which can go on from a checkpoint of the last."""
    for name in ("teacher", "one", "other"):
        (tmp_path / name).write_bytes(b"a teacher")
    one, other = (digest(config(tmp_path, teacher_keras=tmp_path / name), data) for name in ("one", "other"))
    assert one == other


def test_no_place_no_checkpoints(data: Prepared, tmp_path: Path) -> None:
    assert checkpoints(config(tmp_path, checkpoints=""), data) is None
