"""The stage as a user runs it."""

import json
import logging
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from components.fer import made_faces
from components.fer.dataset import Faces, Masks
from components.fer.errors import InputError
from components.validate.config import Config
from components.validate.reader import read
from components.validate.run import run
from components.validate.source import GENUINE_MD5, Source
from components.validate.splits import Rule
from tests.components.validate.photos import write_ckplus

pytestmark = pytest.mark.usefixtures("expectations")


def config(path: Path, out: Path, md5: str = "", split: Literal["official", "random"] = "official") -> Config:
    return Config(
        path=str(path),
        md5=md5,
        ferplus="",
        expressions=7,
        near_correlation=0.95,
        split=split,
        test_share=0.3,
        split_seed=1,
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

    def forged(path: str, md5: str, rule: Rule, expressions: int, ferplus: str) -> Source:
        return read(path, "", rule)._replace(md5=GENUINE_MD5)

    monkeypatch.setattr("components.validate.run.read", forged)
    with pytest.raises(InputError) as error:
        run(config(made_csv, tmp_path / "out", GENUINE_MD5))
    lines = str(error.value).splitlines()
    assert lines[0] == f"data set {made_csv}: not the published FER2013:"
    assert "  expected 34,034 different images, received 678" in lines
    assert lines[-1] == "Fetch it again: dvc pull data.dvc --force"
    assert not (tmp_path / "out").exists()


def test_a_random_split_is_audited_like_any_other(made: Faces, made_csv: Path, tmp_path: Path) -> None:
    run(config(made_csv, tmp_path, split="random"))
    faces, masks = Faces.load(tmp_path / "faces.npz"), Masks.load(tmp_path / "masks.npz")
    np.testing.assert_array_equal(faces.images, made.images)
    assert np.bincount(faces.usage).tolist() == [490, 105, 105]
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["source"]["drawn_by_seed"] == ["Training", "PublicTest", "PrivateTest"]
    of_private = faces.usage == 2
    training = {image.tobytes() for image in made.images[faces.usage == 0]}
    copies = sum(image.tobytes() in training for image in made.images[of_private])
    assert 0 < copies == audit["clean"]["private"]["full"] - audit["clean"]["private"]["exact"]
    assert (~masks.clean_exact & of_private).sum() == copies


def test_what_is_left_out_and_what_is_drawn_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_ckplus(tmp_path / "ckplus", {f"S{number:03d}_001_00000011": 1 + number % 7 for number in range(35)})
    with caplog.at_level(logging.INFO, logger="ferflow"):
        run(config(tmp_path / "ckplus", tmp_path / "out"))
    source = json.loads((tmp_path / "out" / "audit.json").read_text())["source"]
    assert source["layout"] == "ckplus"
    assert source["left_out"] == {"contempt": 5}
    assert source["drawn_by_seed"] == ["Training", "PublicTest", "PrivateTest"]
    assert "left out: 5 images of contempt" in caplog.text


def test_a_random_split_of_the_genuine_data_need_not_hold_the_published_counts(
    made_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.validate.run.read", lambda *given: read(*given)._replace(md5=GENUINE_MD5))
    run(config(made_csv, tmp_path, split="random"))
    assert json.loads((tmp_path / "audit.json").read_text())["source"]["published_counts_hold"] is False


@pytest.mark.slow
@pytest.mark.genuine
def test_the_genuine_data_set_is_validated(genuine_csv: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ferflow"):
        run(config(genuine_csv, tmp_path, GENUINE_MD5))
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["source"] == {"layout": "emotion,pixels,Usage", "md5": GENUINE_MD5, "published_counts_hold": True}
    assert "56 of 56 expectations met" in caplog.text
