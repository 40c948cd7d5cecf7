"""A training that was stopped, however and wherever, ends with the same bits as one that was not."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from components.fer import backend, checkpoint, models, training
from components.fer.checkpoint import Checkpoints, Identity
from components.fer.dataset import Faces, Prepared
from components.fer.errors import Stopped
from components.fer.training import Row, Weights
from components.storage import blobs
from tests.components.fer.conftest import small_recipe
from tests.components.training_argv import argv, write_few

IDENTITY = Identity("data", {}, {"epochs": 2}, {})


class Training:
    """A training of 2 epochs of 4 steps that can be stopped and started again."""

    def __init__(self, data: Prepared, folder: Path, extractor: keras.Model) -> None:
        self.data, self.folder, self.extractor = data, folder, extractor
        self.recipe = small_recipe(epochs=2, flip=True, dropout=0.5, ema=0.9, mixup=0.2)
        self.first = [variable.numpy() for variable in models.single(self.recipe, extractor).variables]

    @property
    def kept(self) -> Checkpoints:
        return Checkpoints(blobs.open_blobs(str(self.folder), "training"), IDENTITY)

    def build(self) -> keras.Model:
        """Make the network as it was at first, Dropout's seeds and all.

        The seed alone would not do in a process of many tests: Keras draws from Python's generator, and so does a
        thread of Google's client that a test of buckets left behind.
        """
        model = models.single(self.recipe, self.extractor)
        for variable, value in zip(model.variables, self.first, strict=True):
            variable.assign(value)
        return model

    def run(self, keep: bool = True) -> tuple[Weights, list[Row]]:
        """Train, as a new process would: from the same beginning, but for the checkpoints."""
        model, history = training.train(self.build, self.data, self.recipe, self.kept if keep else None)
        return model.get_weights(), [{**row, "seconds": 0.0} for row in history]


@pytest.fixture
def small(few: Prepared, tmp_path: Path, tiny_extractor: keras.Model) -> Training:
    backend.select("tensorflow", seed=1)
    return Training(few, tmp_path / "checkpoints", tiny_extractor)


def same(one: Weights, other: Weights) -> bool:
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def stop_behind(steps: int) -> Callable[[], object]:
    """What `stage.stopping` gives where SIGTERM arrives during the step of this number in the process."""
    count = itertools.count(1)

    @contextmanager
    def stopping() -> Iterator[Callable[[], bool]]:
        stop = False

        def asked() -> bool:
            nonlocal stop
            stop = stop or next(count) >= steps
            return stop

        yield asked

    return stopping


@pytest.mark.slow
def test_stopped_anywhere_it_ends_with_the_same_bits(small: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind each of the 8 steps in turn: within an epoch, at its end, behind the last; each start goes one step."""
    weights, history = small.run(keep=False)
    for step in range(1, 9):
        with monkeypatch.context() as patch:
            patch.setattr("components.fer.stage.stopping", stop_behind(1))
            with pytest.raises(Stopped, match=f"saved behind step {step} of 8"):
                small.run()
    resumed, continued = small.run()
    assert same(weights, resumed)
    assert history == continued


@pytest.mark.slow
def test_stages_end_with_the_same_bits_as_one_go(small: Training) -> None:
    """Each stage goes on in a new model, from a checkpoint."""
    weights, history = small.run()
    small.kept.clear()
    small.recipe = small.recipe.model_copy(update={"stages": "1,1"})
    staged, continued = small.run()
    assert same(weights, staged)
    assert history == continued


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    small: Training, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    weights, _ = small.run(keep=False)
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr("components.fer.stage.stopping", stop_behind(3))
        with pytest.raises(Stopped):
            small.run()
    older, newer = sorted(small.folder.glob("*/*.npz"))
    assert (older.name[:13], newer.name[:13]) == ("step-00000002", "step-00000003")
    newer.write_bytes(newer.read_bytes()[:-100])
    caplog.clear()
    with caplog.at_level("INFO", "ferflow"):
        resumed, _ = small.run()
    said = [record.getMessage() for record in caplog.records if record.name == "ferflow"]  # TensorFlow talks too
    assert said[:2] == [
        f"checkpoint {newer}: damaged or half-written, passed over.",
        "going on from a checkpoint: step 2, 0 epochs done",
    ]
    assert same(weights, resumed)


def start(options: list[str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "components.train_backbone", *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def strike(options: list[str], said: str, sign: signal.Signals) -> int:
    """Start the stage, send it a signal when it has said something, and give its exit code."""
    process = start(options)
    assert process.stderr is not None
    while said not in (line := process.stderr.readline()):
        assert line, f"the stage ended before it said {said}"
    process.send_signal(sign)
    process.communicate()
    return process.returncode


@pytest.mark.slow
def test_killed_processes_go_on(made: Faces, tmp_path: Path) -> None:
    """SIGTERM, then SIGKILL, then an undisturbed start: the same model as one that nobody disturbed."""
    changes = {"architecture": "resnet_small", "weights": "none", "freeze": "none", "epochs": 8}
    data, kept = write_few(made, tmp_path), tmp_path / "kept"
    disturbed = argv(data, tmp_path / "disturbed", **changes, checkpoints=kept)
    assert strike(disturbed, "epoch 2/", signal.SIGTERM) == 75
    assert strike(disturbed, "going on from a checkpoint", signal.SIGKILL) == -9
    assert list(kept.glob("*/*"))
    assert not (tmp_path / "disturbed").exists()
    for options in (disturbed, argv(data, tmp_path / "undisturbed", **changes)):
        process = start(options)
        _, told = process.communicate()
        assert process.returncode == 0, told
    one, other = (models.load(tmp_path / name / "model_keras").get_weights() for name in ("disturbed", "undisturbed"))
    assert same(one, other)
    assert not list(kept.iterdir())
