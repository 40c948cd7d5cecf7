"""The stage as a user runs it."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from components.fer import made_faces
from components.fer.dataset import Faces, Masks
from components.fer.errors import InputError
from components.validate.config import Config
from components.validate.reader import read
from components.validate.run import run
from components.validate.source import GENUINE_MD5, Source

pytestmark = pytest.mark.usefixtures("expectations")


def config(path: Path, out: Path, md5: str = "") -> Config:
    return Config(
        path=str(path),
        md5=md5,
        near_correlation=0.95,
        faces_npz=out / "faces.npz",
        masks_npz=out / "masks.npz",
        audit_json=out / "audit.json",
        data_docs=out / "data_docs",
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_made_faces_are_validated(
    made: Faces, made_csv: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="ferflow"):
        run(config(made_csv, tmp_path))
    faces, masks = Faces.load(tmp_path / "faces.npz"), Masks.load(tmp_path / "masks.npz")
    np.testing.assert_array_equal(faces.images, made.images)
    assert np.flatnonzero(masks.constant).tolist() == [37]
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["source"]["layout"] == "emotion,pixels,Usage"
    assert audit["source"]["published_counts_hold"] is False
    assert audit["clean"]["private"] == {"full": 70, "exact": 63, "near": 54}
    assert "PrivateTest: 70 images, 63 without an exact copy in Training" in caplog.text
    assert "9 of 9 expectations met" in caplog.text
    assert {record.name for record in caplog.records} == {"ferflow"}


def test_the_same_data_gives_the_same_outputs(made_csv: Path, tmp_path: Path) -> None:
    run(config(made_csv, tmp_path / "one"))
    run(config(made_csv, tmp_path / "other"))
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert len(contents(tmp_path / "one")) == 4


def test_what_is_unusual_is_said_and_accepted(made: Faces, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made_faces.write_csv(Faces(made.images, made.label % 3, made.usage), tmp_path / "fer2013.csv")
    run(config(tmp_path / "fer2013.csv", tmp_path / "out"))
    assert "unusual: expected 7 expressions in Training, received 3" in caplog.text
    assert (tmp_path / "out" / "audit.json").is_file()


def test_genuine_data_must_hold_the_published_counts(
    made_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no real file can show: the published md5 with other counts."""

    def forged(path: str, md5: str) -> Source:
        return read(path, "")._replace(md5=GENUINE_MD5)

    monkeypatch.setattr("components.validate.run.read", forged)
    with pytest.raises(InputError) as error:
        run(config(made_csv, tmp_path / "out", GENUINE_MD5))
    lines = str(error.value).splitlines()
    assert lines[0] == f"data set {made_csv}: not the published FER2013:"
    assert "  expected 34,034 different images, received 678" in lines
    assert lines[-1] == "Fetch it again: dvc pull data.dvc --force"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.genuine
def test_the_genuine_data_set_is_validated(genuine_csv: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ferflow"):
        run(config(genuine_csv, tmp_path, GENUINE_MD5))
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["source"] == {"layout": "emotion,pixels,Usage", "md5": GENUINE_MD5, "published_counts_hold": True}
    assert "56 of 56 expectations met" in caplog.text
