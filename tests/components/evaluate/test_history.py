from pathlib import Path

import pytest

from components.evaluate import history
from components.fer.errors import InputError
from tests.components.evaluate.conftest import HISTORY, write_history


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_history(tmp_path / "history", HISTORY | {"learning_rate": [1, 1, 1]})
    assert history.read(tmp_path / "history") == HISTORY


def test_the_kept_epoch_is_the_first_with_the_best_public_accuracy() -> None:
    assert history.kept_epoch(HISTORY | {"val_accuracy": [0.3, 0.5, 0.5]}) == 1


@pytest.mark.parametrize("text", ["", "epoch,loss\n1,2\n", "epoch,loss,accuracy,val_loss,val_accuracy\n1,x,1,1,1\n"])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "history").write_text(text)
    with pytest.raises(InputError, match="history"):
        history.read(tmp_path / "history")


def test_a_history_without_an_epoch_is_refused(tmp_path: Path) -> None:
    write_history(tmp_path / "history", dict.fromkeys(history.COLUMNS, ()))
    with pytest.raises(InputError, match="at least one epoch"):
        history.read(tmp_path / "history")
