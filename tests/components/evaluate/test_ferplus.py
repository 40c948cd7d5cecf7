import os
from pathlib import Path

import numpy as np
import pytest

from components.evaluate import ferplus
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


def read(path: Path, count: int = 4, usage: tuple[int, ...] = (0, 0, 1, 2)) -> list[int]:
    rows = np.arange(len(usage), dtype=np.int32)
    return list(ferplus.read_majority(path, count, rows, np.array(usage)))


def test_a_majority_is_more_than_half_of_the_votes_for_an_expression(votes_csv: Path) -> None:
    assert read(votes_csv) == [3, -1, -1, -1]


def test_votes_of_another_data_set_are_refused(votes_csv: Path) -> None:
    with pytest.raises(InputError, match="expected 5 rows as in the data set, received 4"):
        read(votes_csv, count=5)
    with pytest.raises(InputError, match="row 3 is of PublicTest, in the data set of PrivateTest"):
        read(votes_csv, usage=(0, 0, 2, 2))


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


@pytest.mark.genuine
def test_the_genuine_votes_have_the_published_shares_without_a_majority() -> None:
    path = Path(os.environ.get("FERPLUS", ROOT / "data" / "fer2013new.csv"))
    if not path.is_file():
        pytest.skip(f"the FER+ votes are not at hand (looked for {path}; set FERPLUS to their path)")
    table = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(2, 12), dtype=int)
    undecided = 2 * table.max(axis=1) <= table.sum(axis=1)
    splits = np.split(undecided, [28_709, 28_709 + 3_589])
    assert [round(100 * split.mean(), 1) for split in splits] == [23.4, 19.9, 23.4]
    assert ((ferplus.majority(table) == ferplus.NONE) >= undecided).all()
