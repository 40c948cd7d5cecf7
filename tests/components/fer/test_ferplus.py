import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from components.fer import ferplus
from components.fer.dataset import CONTEMPT, EXPRESSIONS, Split
from components.fer.errors import InputError
from tests.conftest import ROOT

HEADER = f"Usage,Image name,{','.join(ferplus.VOTES)}"


@pytest.fixture
def votes_csv(tmp_path: Path) -> Path:
    """Four images: happy by 6 of 10, a tie, contempt, not a face."""
    path = tmp_path / "votes.csv"
    rows = (
        "Training,a,2,6,0,0,2,0,0,0,0,0",
        "Training,b,5,5,0,0,0,0,0,0,0,0",
        "PublicTest,c,0,1,0,0,0,0,0,9,0,0",
        "PrivateTest,,0,0,0,0,0,0,0,0,0,10",
    )
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


@pytest.fixture
def genuine_votes() -> Path:
    """FER+'s file; the test is skipped aloud where it is not at hand."""
    path = Path(os.environ.get("FERPLUS", ROOT / "data" / "fer2013new.csv"))
    if not path.is_file():
        pytest.skip(f"the FER+ votes are not at hand (looked for {path}; set FERPLUS to their path)")
    return path


def read(path: Path, count: int = 4, usage: tuple[int, ...] = (0, 0, 1, 2)) -> list[int]:
    splits = [images(*np.flatnonzero(np.array(usage) == index)) for index in range(3)]
    return list(ferplus.read_majority(path, count, splits))


def images(*rows: int, label: str = "neutral") -> Split:
    """Images at these rows of the source, all of one label."""
    labels = np.full(len(rows), EXPRESSIONS.index(label), np.uint8)
    return Split(np.zeros((len(rows), 48, 48, 1), np.uint8), labels, np.array(rows, np.int32))


def soft(path: Path, *rows: int) -> list[list[float]]:
    """Soft labels of Training images at these rows of the source, all labelled neutral."""
    labels: list[list[float]] = ferplus.read_soft_labels(path, images(*rows), 7).tolist()
    return labels


def test_a_majority_is_more_than_half_of_the_votes_for_an_expression(votes_csv: Path) -> None:
    assert read(votes_csv) == [3, -1, CONTEMPT, -1]


def test_contempt_is_an_answer_where_eight_are_asked_for() -> None:
    votes = np.array([[2, 6, 0, 0, 2, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 9, 0, 0], [0, 0, 0, 0, 0, 0, 0, 2, 0, 8]])
    assert ferplus.majority(votes, 7).tolist() == [3, -1, -1]
    assert ferplus.majority(votes, 8).tolist() == [3, CONTEMPT, -1]
    happy, contempt = ferplus.soft_labels(votes, 8)[1, [3, CONTEMPT]]
    assert (happy, contempt) == (pytest.approx(0.1), pytest.approx(0.9))
    assert ferplus.soft_labels(votes, 7)[1, 3] == 1


def test_soft_labels_of_data_labelled_by_the_votes_skip_the_images_without_a_majority(tmp_path: Path) -> None:
    """The rows of such data count the images that the votes have kept: here the first, the third and the fourth."""
    path = tmp_path / "votes.csv"
    rows = ("0,6,0,0,4,0,0,0,0,0", "5,5,0,0,0,0,0,0,0,0", "0,2,0,0,0,0,0,8,0,0", "9,0,0,1,0,0,0,0,0,0")
    path.write_text("\n".join((HEADER, *(f"Training,a,{row}" for row in rows))) + "\n")
    training = replace(images(0, 1, 2), label=np.array([3, CONTEMPT, 6], np.uint8))
    soft = ferplus.read_soft_labels(path, training, 8)
    expected = np.zeros((3, 8))
    expected[[0, 0, 1, 1, 2, 2], [3, 0, CONTEMPT, 3, 6, 4]] = [0.6, 0.4, 0.8, 0.2, 0.9, 0.1]
    np.testing.assert_allclose(soft, expected, rtol=1e-6)


def test_votes_of_another_data_set_are_refused(votes_csv: Path) -> None:
    with pytest.raises(InputError, match="expected 5 rows as in the data set, received 4"):
        read(votes_csv, count=5)
    with pytest.raises(InputError, match="row 3 is of PublicTest, in the data set of PrivateTest"):
        read(votes_csv, usage=(0, 0, 2, 2))


def test_votes_in_another_order_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("\n".join((HEADER, *["Training,a,1,9,0,0,0,0,0,0,0,0"] * ferplus.ENOUGH)) + "\n")
    rows = range(ferplus.ENOUGH)
    nobody = images()
    assert set(ferplus.read_majority(path, len(rows), [images(*rows, label="happy"), nobody, nobody])) == {3}
    with pytest.raises(InputError, match=r"received 0 %: the images are in another order") as caught:
        ferplus.read_majority(path, len(rows), [images(*rows, label="sad"), nobody, nobody])
    assert "evaluate.ferplus to ''" in str(caught.value)
    with pytest.raises(InputError, match="label of seven in ten of Training, received 0 %"):
        soft(path, *rows)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", f"{HEADER}\nTraining,a,one,0,0,0,0,0,0,0,0,0\n", f"{HEADER}\nTraining\n"]
)
def test_what_is_no_table_of_votes_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"evaluate\.ferplus to ''"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: No such file"):
        read(tmp_path / "nowhere.csv")


votes_of_an_image = hnp.arrays(np.int64, (5, len(ferplus.VOTES)), elements=st.integers(0, 10))


@given(votes_of_an_image)
def test_soft_labels_are_shares_of_the_votes_for_an_expression(votes: NDArray[np.int64]) -> None:
    soft_labels = ferplus.soft_labels(votes, 7)
    assert soft_labels.dtype == np.float32
    for image, shares in zip(votes, soft_labels, strict=True):
        by_name = dict(zip(ferplus.VOTES, image.tolist(), strict=True))
        total = sum(by_name[name] for name in ferplus.NAMES[:7])
        expected = [by_name[name] / total if total else np.nan for name in ferplus.NAMES[:7]]
        np.testing.assert_allclose(shares, expected, rtol=1e-6)


def test_a_selection_of_training_has_the_soft_labels_of_its_rows(votes_csv: Path) -> None:
    angry, happy, neutral = (EXPRESSIONS.index(name) for name in ("angry", "happy", "neutral"))
    second, first = soft(votes_csv, 1, 0)
    assert (second[neutral], second[happy]) == (0.5, 0.5)
    np.testing.assert_allclose([first[neutral], first[happy], first[angry], sum(first)], [0.2, 0.6, 0.2, 1], rtol=1e-6)


def test_the_label_stands_in_where_nobody_voted_for_an_expression(votes_csv: Path) -> None:
    votes_csv.write_text(f"{HEADER}\nTraining,a,0,0,0,0,0,0,0,4,3,3\nTraining,b,0,9,0,0,0,0,0,1,0,0\n")
    assert soft(votes_csv, 0, 1) == [[0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0]]


def test_votes_of_another_data_set_give_no_soft_labels(votes_csv: Path) -> None:
    with pytest.raises(InputError, match="row 3 is of PublicTest, in the data set of Training") as caught:
        soft(votes_csv, 0, 2)
    assert "training.soft_labels to ''" in str(caught.value)
    with pytest.raises(InputError, match="received 4 rows, none for image 6"):
        soft(votes_csv, 0, 5)


@pytest.mark.genuine
def test_the_genuine_votes_have_the_published_shares_without_a_majority(genuine_votes: Path) -> None:
    table = np.genfromtxt(genuine_votes, delimiter=",", skip_header=1, usecols=range(2, 12), dtype=int)
    undecided = 2 * table.max(axis=1) <= table.sum(axis=1)
    splits = np.split(undecided, [28_709, 28_709 + 3_589])
    assert [round(100 * split.mean(), 1) for split in splits] == [23.4, 19.9, 23.4]
    assert ((ferplus.majority(table, 7) == ferplus.NONE) >= undecided).all()


@pytest.mark.genuine
def test_the_genuine_votes_give_each_training_image_a_soft_label(genuine_votes: Path) -> None:
    table = np.genfromtxt(genuine_votes, delimiter=",", skip_header=1, usecols=range(2, 12), dtype=int)[:28_709]
    assert np.isnan(ferplus.soft_labels(table, 7)).any(axis=1).sum() == (table[:, :7].sum(axis=1) == 0).sum() > 0
    answers = np.maximum(ferplus.majority(table, 7), 0).astype(np.uint8)  # labels that agree with the votes
    training = replace(images(*range(28_709)), label=answers)
    np.testing.assert_allclose(ferplus.read_soft_labels(genuine_votes, training, 7).sum(axis=1), 1, rtol=1e-5)
