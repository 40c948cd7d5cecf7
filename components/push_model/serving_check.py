"""Whether what a version serves answers as what was evaluated: its SavedModel and its light model, in clean processes.

What is judged by the gate is the `.keras` file, what serves is made of it. A fault in the making, or in a file, would
serve another model than the one that was judged.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import DAMAGE, EIGHT, Split, expression_count
from components.fer.errors import TemporaryError
from components.model_store.records import Check, Verdict
from components.push_model import answering
from components.push_model.answering import ODD
from components.serve import runtime

Probabilities = NDArray[np.float32]

EACH = 6
"""Golden images of each expression."""

TOLERANCE, ROUNDED = 0.004, 0.03
"""Greatest difference of a probability from what evaluation saw, for models in float32 and in bfloat16 or float16.

Measured on PublicTest (docs/serving.md): a model in bfloat16 and the same weights in float32 differ by up to 0.013,
hence twice that. float32 itself differs by 0.000001 on CPUs; but a GPU may evaluate it in TensorFloat-32, whose
mantissa is 3 bits longer than bfloat16's: an eighth. Faults lie far above: two expressions in each other's place 0.7,
batch normalisation as in training 0.5, images shifted by a pixel 0.2.
"""

SECONDS = 600
"""Time to load and answer: a hundred times what it takes."""

TOLD_TO_STOP = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
"""Signals that come from outside, for want of memory perhaps; a model that crashes ends its process by others."""

NAMES = {"saved_model": "SavedModel", "light": "light model"}


def golden(public: Split) -> NDArray[np.intp]:
    """Choose images by their places in PublicTest, in order: the first of each expression, always the same ones."""
    first = [np.flatnonzero(public.label == expression)[:EACH] for expression in range(expression_count(public.label))]
    return np.sort(np.concatenate(first))


def checks(folder: Path, public: Split, expected: Probabilities, precision: str) -> tuple[Check, ...]:
    """Hold what is in a version's `folder` to what evaluation saw of PublicTest, `expected` (N, E).

    `precision` is that of the model's layers. Raises `TemporaryError` where a process was stopped or found no end.
    """
    chosen = golden(public)
    images, seen, rows = public.images[chosen], expected[chosen], public.row[chosen]
    limit = TOLERANCE if precision == "float32" else ROUNDED
    places = {"saved_model": folder / "saved_model", "light": folder / runtime.NAME}
    return tuple(_check(kind, place, images, seen, rows, limit) for kind, place in places.items())


def held(verdict: Verdict, found: Sequence[Check]) -> Verdict:
    """The verdict with these checks: REJECT where one is not met."""
    missed = tuple(f"not met: {check.words}" for check in found if not check.passed)
    met = tuple(check.words for check in found if check.passed)
    first, *others = verdict.reasons
    return replace(
        verdict,
        decision="REJECT" if missed else verdict.decision,
        reasons=(first, *missed, *others, *met),
        checks=(*verdict.checks, *found),
    )


def _check(
    kind: str, place: Path, images: NDArray[np.uint8], seen: Probabilities, rows: NDArray[np.int32], limit: float
) -> Check:
    answers = _answers(kind, place, images)
    name = NAMES[kind]
    if isinstance(answers, str):
        return Check(kind, 1.0, limit, False, f"{name} does not answer: {answers}")
    batches = {"all": len(seen), "odd": min(ODD, len(seen)), "one": 1, "again": 1}
    for batch, count in batches.items():
        if answers[batch].shape != seen[:count].shape:
            words = f"{name} answers {count} images in shape {answers[batch].shape}, expected {seen[:count].shape}"
            return Check(kind, 1.0, limit, False, words)
    if taken := [str(one) for one in answers["taken"]]:
        return Check(kind, 1.0, limit, False, f"{name} takes what it has to refuse: {', '.join(taken)}")
    apart = {batch: _apart(answers[batch], seen[:count]) for batch, count in batches.items()}
    worst = max(apart, key=lambda batch: float(apart[batch].max()))
    greatest = float(apart[worst].max())
    if greatest <= limit:
        words = (
            f"{name} answers {len(seen)} images, {batches['odd']} and 1 as evaluation saw them, {greatest:.6f} apart, "
            f"at most {limit:g}; refuses another shape and dtype"
        )
        return Check(kind, greatest, limit, True, words)
    image, expression = np.unravel_index(apart[worst].argmax(), apart[worst].shape)
    words = (
        f"{name}, {batches[worst]} images at once: {EIGHT[expression]} {answers[worst][image, expression]:.3f} "
        f"for row {rows[image]}, evaluation saw {seen[image, expression]:.3f}; at most {limit:g} apart"
    )
    return Check(kind, greatest, limit, False, words)


def _apart(answers: NDArray[Any], seen: Probabilities) -> NDArray[np.float64]:
    """Differences, (N, E), at most 1; what is no number differs as much as can be."""
    apart = np.abs(answers.astype(np.float64) - seen)
    return np.where(np.isnan(apart), 1.0, np.minimum(apart, 1.0))


def _answers(kind: str, place: Path, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]] | str:
    """Let a process of its own answer; gives why it did not where so."""
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder) / "images.npy", Path(folder) / "answers.npz"
        np.save(questions, images)
        command = [sys.executable, "-m", answering.__name__, kind, str(place), str(questions), str(answers)]
        # No GPU: this process may have taken all of its memory.
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise TemporaryError(
                f"{NAMES[kind]} of the candidate: no answer in {SECONDS} s.", "Run the same command again."
            ) from error
        if -done.returncode in TOLD_TO_STOP:
            raise TemporaryError(
                f"{NAMES[kind]} of the candidate: its process was stopped by signal {-done.returncode}.",
                "Give push-model more memory if there was too little, then run the same command again.",
            )
        if done.returncode:
            return _why(done, place)
        try:
            with np.load(answers, allow_pickle=False) as found:
                return dict(found)
        except (OSError, *DAMAGE) as error:
            return f"no answers were written ({error})"


def _why(done: subprocess.CompletedProcess[bytes], place: Path) -> str:
    """Why a process ended: its signal, or the last it said."""
    if done.returncode < 0:
        return f"its process ended by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.decode(errors="replace").replace(str(place), place.name).strip().splitlines()
    return lines[-1][:300] if lines else f"its process ended with exit code {done.returncode}"
