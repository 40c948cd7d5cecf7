"""What serves is held to what evaluation saw, in processes of its own; whatever it does, something is said."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.fer.dataset import Prepared
from components.fer.errors import TemporaryError
from components.model_store.records import Verdict
from components.push_model import serving_check
from components.push_model.serving_check import EACH, checks, golden, held
from components.serve import runtime
from tests.components.push_model import any_dtype
from tests.components.push_model.conftest import model_that_knows

Answers = dict[str, NDArray[Any]]

VERDICT = Verdict("PROMOTE", ("better", "floors are met"), "majority class", 0.05, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version's files for serving, of a model that knows all expressions."""
    from components.push_model import exported

    folder = tmp_path_factory.mktemp("version")
    exported.saved_model(model_that_knows(7), folder / "saved_model")
    exported.light(model_that_knows(7), folder / "saved_model", folder / runtime.NAME)
    return folder


def seen(data: Prepared, expressions: int = 7) -> NDArray[np.float32]:
    """What evaluation saw of PublicTest, by a model that knows so many expressions."""
    found: NDArray[np.float32] = model_that_knows(expressions).predict(data["public"].images, verbose=0)
    return found


def test_golden_images_are_the_first_of_each_expression(data: Prepared) -> None:
    chosen = golden(data["public"])
    assert np.bincount(data["public"].label[chosen]).tolist() == [EACH] * 7
    assert (np.diff(chosen) > 0).all()


@pytest.mark.slow
def test_both_forms_answer_as_evaluation_saw(folder: Path, data: Prepared) -> None:
    found = checks(folder, data["public"], seen(data), "float32")
    assert [(check.name, check.passed) for check in found] == [("saved_model", True), ("light", True)]
    for check in found:
        assert check.value < 1e-5
        assert "answers 42 images, 7 and 1 as evaluation saw them" in check.words
        assert check.words.endswith("refuses another shape and dtype")


@pytest.mark.slow
def test_another_model_is_told_by_the_image_that_it_answers_most_differently(folder: Path, data: Prepared) -> None:
    found = checks(folder, data["public"], seen(data, 5), "float32")
    for check, name in zip(found, ("SavedModel", "light model"), strict=True):
        assert not check.passed
        assert check.value > 0.9
        assert check.words.startswith(f"{name}, 42 images at once: ")
        assert "evaluation saw" in check.words


@pytest.mark.slow
def test_damaged_files_do_not_answer(folder: Path, data: Prepared, tmp_path: Path) -> None:
    (tmp_path / "saved_model").mkdir()
    (tmp_path / runtime.NAME).write_bytes((folder / runtime.NAME).read_bytes()[:100])
    for check in checks(tmp_path, data["public"], seen(data), "float32"):
        assert not check.passed
        assert " does not answer: " in check.words


OTHER_SHAPES = "an image of 47 x 48 pixels, an image of 48 x 47 pixels, an image of 3 channels, an image alone"


@pytest.mark.slow
def test_a_model_that_takes_other_shapes_is_told(folder: Path, data: Prepared, tmp_path: Path) -> None:
    """A SavedModel whose signature leaves the shape open, and whose network takes any; its process says so."""
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        grey = tf.reduce_mean(tf.cast(tf.reshape(image, [tf.shape(image)[0], -1]), tf.float32), axis=1)
        return {"probabilities": tf.nn.softmax(tf.tile(grey[:, None], [1, 7]))}

    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec(None, tf.uint8, name="image")])
    tf.saved_model.save(module, str(tmp_path / "saved_model"), signatures={"serve": module.serve})
    (tmp_path / runtime.NAME).write_bytes((folder / runtime.NAME).read_bytes())
    saved, light = checks(tmp_path, data["public"], seen(data), "float32")
    assert not saved.passed
    assert saved.words == f"SavedModel takes what it has to refuse: {OTHER_SHAPES}"
    assert light.passed


@pytest.mark.slow
def test_a_model_that_takes_another_dtype_is_told(
    folder: Path, data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file makes TensorFlow or our runtime do so, as they are: a process whose loader turns all to uint8 does."""
    monkeypatch.setattr(serving_check, "answering", any_dtype)
    for check in checks(folder, data["public"], seen(data), "float32"):
        assert not check.passed
        assert check.words.endswith(" takes what it has to refuse: pixels in float32")


def answers(data: Prepared, **changes: Any) -> Answers:
    """Those of a process that does all well, but for the changes."""
    right = seen(data)[golden(data["public"])]
    names = {"all": right, "odd": right[:7], "one": right[:1], "again": right[:1], "taken": np.array([], np.str_)}
    return names | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"one": np.zeros((1, 6), np.float32)}, "answers 1 images in shape (1, 6), expected (1, 7)"),
        ({"taken": np.array(["pixels in float32"])}, "takes what it has to refuse: pixels in float32"),
        ({"again": np.full((1, 7), np.nan, np.float32)}, "evaluation saw"),
    ],
    ids=["shape", "taken", "no number"],
)
def test_what_is_wrong_with_answers_is_said(
    changes: Answers, words: str, data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_check, "_answers", lambda *_: answers(data, **changes))
    for check in checks(Path("version"), data["public"], seen(data), "float32"):
        assert (check.passed, check.value) == (False, 1.0)
        assert words in check.words


def test_more_is_allowed_where_layers_round(data: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    near = seen(data)[golden(data["public"])] + np.float32(0.01)
    monkeypatch.setattr(serving_check, "_answers", lambda *_: answers(data, all=near))
    passed = {
        precision: [check.passed for check in checks(Path("version"), data["public"], seen(data), precision)]
        for precision in ("float32", "bfloat16")
    }
    assert passed == {"float32": [False, False], "bfloat16": [True, True]}


def ends_by(signal: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that answer end by a signal."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nkill -{signal} $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_a_model_that_crashes_is_rejected(data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = seen(data)
    ends_by("SEGV", tmp_path, monkeypatch)
    found = checks(tmp_path, data["public"], expected, "float32")
    assert found[1].words == "light model does not answer: its process ended by SIGSEGV"


def test_a_process_that_was_killed_says_nothing_about_the_model(
    data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = seen(data)
    ends_by("KILL", tmp_path, monkeypatch)
    with pytest.raises(TemporaryError, match=r"^SavedModel of the candidate: its process was stopped by signal 9"):
        checks(tmp_path, data["public"], expected, "float32")


def test_a_verdict_is_turned_by_a_check_that_fails_alone(data: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_check, "_answers", lambda *_: answers(data))
    met = checks(Path("version"), data["public"], seen(data), "float32")
    kept = held(VERDICT, met)
    assert kept.decision == "PROMOTE"
    assert kept.reasons == (*VERDICT.reasons, *(check.words for check in met))
    missed = checks(Path("version"), data["public"], seen(data, 3), "float32")
    turned = held(VERDICT, missed)
    assert turned.decision == "REJECT"
    assert turned.reasons == ("better", *(f"not met: {check.words}" for check in missed), "floors are met")
    assert turned.checks == missed
