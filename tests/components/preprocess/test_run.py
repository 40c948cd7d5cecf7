"""The stage as a whole: what it writes, what it counts, and what it says of bad input."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from components.fer import made_faces, prepared
from components.fer.dataset import SPLITS, Faces, Masks
from components.fer.errors import InputError
from components.preprocess.config import Config
from components.preprocess.run import run
from tests.components.fer import strategies
from tests.components.preprocess.audit import masks_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(made: Faces, tmp_path: Path) -> Config:
    """The stage on the made faces, with everything to be dropped."""
    made.save(tmp_path / "faces.npz")
    masks_of(made).save(tmp_path / "masks.npz")
    return config_in(tmp_path)


def config_in(folder: Path, **changed: Any) -> Config:
    values = {
        "faces_npz": folder / "faces.npz",
        "masks_npz": folder / "masks.npz",
        "drop_copies": True,
        "drop_conflicts": True,
        "drop_constant": True,
        "sample": 0,
        "seed": 1,
        "align": "none",
        "landmarks": "",
        "median_filter": 0,
        "shards": 2,
        "prepared_pickle": folder / "out" / "prepared.pickle",
        "prepared_tfrecord": folder / "out" / "prepared_tfrecord",
        "report_json": folder / "out" / "report.json",
    }
    return Config(**{**values, **changed})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pickle_and_tfrecords_hold_the_same_chosen_images(config: Config, made: Faces) -> None:
    run(config)
    data = prepared.read(config.prepared_pickle)
    strategies.assert_equal(data, prepared.read(config.prepared_tfrecord))
    for usage, name in enumerate(SPLITS):
        split = data[name]
        np.testing.assert_array_equal(split.images[..., 0], made.images[split.row])
        np.testing.assert_array_equal(split.label, made.label[split.row])
        assert (made.usage[split.row] == usage).all()
        assert (np.diff(split.row) > 0).all()
    training = [image.tobytes() for image in data["training"].images]
    assert len(set(training)) == len(training)
    assert bytes(48 * 48) not in training
    assert (len(data["public"]), len(data["private"])) == (70, 70)


def test_the_report_counts_every_image_once(config: Config, made: Faces) -> None:
    run(config)
    report = json.loads(config.report_json.read_text())
    assert report["images"]["training"] == {"before": 560, "after": 560 - sum(report["dropped"].values())}
    assert report["images"]["private"] == {"before": 70, "after": 70}
    assert report["dropped"]["constant"] == 1
    assert report["dropped"]["conflict"] == 2  # rows 23 and 30
    assert report["dropped"]["copy"] > 0
    assert sum(counted["before"] for counted in report["training"].values()) == 560
    pickle = config.prepared_pickle.read_bytes()
    assert report["pickle"] == {"bytes": len(pickle), "sha256": hashlib.sha256(pickle).hexdigest()}
    shards = b"".join(content for _, content in sorted(contents(config.prepared_tfrecord).items()))
    assert report["tfrecord"] == {"bytes": len(shards), "sha256": hashlib.sha256(shards).hexdigest()}


def test_nothing_dropped_gives_the_csv_back(config: Config, made_csv: Path, tmp_path: Path) -> None:
    run(config.model_copy(update={"drop_copies": False, "drop_conflicts": False, "drop_constant": False}))
    data = prepared.read(config.prepared_tfrecord)
    order = np.argsort(np.concatenate([split.row for split in data.values()]))
    usage = np.repeat(np.arange(3, dtype=np.uint8), [len(split) for split in data.values()])
    images, label = (np.concatenate([split.columns()[name] for split in data.values()]) for name in ("images", "label"))
    made_faces.write_csv(Faces(images[order, :, :, 0], label[order], usage[order]), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == made_csv.read_bytes()


def test_a_sample_is_drawn_from_what_is_kept_of_each_split(config: Config, made: Faces) -> None:
    run(config)
    kept = {name: set(split.row.tolist()) for name, split in prepared.read(config.prepared_pickle).items()}
    run(config.model_copy(update={"sample": 21}))
    data = prepared.read(config.prepared_pickle)
    for name, split in data.items():
        assert len(split) == 21
        assert set(split.row.tolist()) < kept[name]
        np.testing.assert_array_equal(split.images[..., 0], made.images[split.row])
    report = json.loads(config.report_json.read_text())
    assert report["images"]["training"] == {"before": 560, "after": 21}


def test_images_of_every_split_are_filtered(config: Config, made: Faces) -> None:
    run(config.model_copy(update={"median_filter": 3}))
    for split in prepared.read(config.prepared_pickle).values():
        expected = ndimage.median_filter(made.images[split.row], (1, 3, 3), mode="nearest")
        np.testing.assert_array_equal(split.images[..., 0], expected)


@pytest.mark.parametrize("side", [-1, 2, 4, 17])
def test_a_window_has_a_middle(side: int, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        config_in(tmp_path, median_filter=side)


def test_faces_are_aligned_in_every_split_and_the_report_says_how_many(config: Config, made: Faces) -> None:
    run(config.model_copy(update={"align": "dlib", "sample": 14}))
    report = json.loads(config.report_json.read_text())["alignment"]
    for name, split in prepared.read(config.prepared_pickle).items():
        changed = (split.images[..., 0] != made.images[split.row]).any(axis=(1, 2))
        assert report[name]["all"]["images"] == len(split) == 14
        assert report[name]["all"]["detected"] == changed.sum() > 0


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_in_another_process(config: Config, tmp_path: Path) -> None:
    run(config)
    first = contents(tmp_path / "out")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT)}
    argv = [word for name, value in config.model_dump().items() for word in (f"--{name.replace('_', '-')}", str(value))]
    subprocess.run([sys.executable, "-m", "components.preprocess", *argv], check=True, cwd=tmp_path, env=environment)
    assert contents(tmp_path / "out") == first


def cut(folder: Path) -> None:
    content = (folder / "faces.npz").read_bytes()
    (folder / "faces.npz").write_bytes(content[: len(content) // 2])


def csv(folder: Path) -> None:
    (folder / "faces.npz").write_text("emotion,pixels,Usage\n")


def absent(folder: Path) -> None:
    (folder / "masks.npz").unlink()


def folder_instead(folder: Path) -> None:
    absent(folder)
    (folder / "masks.npz").mkdir()


def exchanged(folder: Path) -> None:
    (folder / "masks.npz").write_bytes((folder / "faces.npz").read_bytes())


def changed(kind: type[Faces | Masks], **arrays: Any) -> Callable[[Path], None]:
    """Change or (None) leave out some arrays of faces.npz or masks.npz."""

    def change(folder: Path) -> None:
        path = folder / f"{kind.__name__.lower()}.npz"
        columns = {**kind.load(path).columns(), **arrays}
        np.savez(path, **{name: array for name, array in columns.items() if array is not None})

    return change


def shorter_masks(folder: Path) -> None:
    masks = Masks.load(folder / "masks.npz").columns()
    Masks(**{name: array[:699] for name, array in masks.items()}).save(folder / "masks.npz")


def flipped_bit(folder: Path) -> None:
    content = bytearray((folder / "faces.npz").read_bytes())
    content[10_000] ^= 1
    (folder / "faces.npz").write_bytes(content)


MEND = "Write it again: dvc repro"
BAD = {
    "cut short": (cut, "faces {faces}: damaged, or no .npz of arrays (File is not a zip file)."),
    "a csv": (csv, "faces {faces}: damaged, or no .npz of arrays (File is not a zip file)."),
    "a flipped bit": (flipped_bit, "faces {faces}: damaged, or no .npz of arrays (Bad CRC-32 for file 'images.npy')."),
    "absent": (absent, "masks {masks}: cannot be read (No such file or directory)."),
    "a folder": (folder_instead, "masks {masks}: cannot be read (Is a directory)."),
    "faces for masks": (
        exchanged,
        "masks {masks}: expected the arrays {names}, received images, label, usage.",
    ),
    "no labels": (
        changed(Faces, label=None),
        "faces {faces}: expected the arrays images, label, usage, received images, usage.",
    ),
    "an object array": (
        changed(Faces, label=np.array([None] * 700)),
        "faces {faces}: damaged, or no .npz of arrays (Object arrays cannot be loaded when allow_pickle=False).",
    ),
    "floats": (
        changed(Faces, images=np.zeros((700, 48, 48), np.float32)),
        "faces {faces}, images: expected uint8 (N, 48, 48), received float32 (700, 48, 48).",
    ),
    "larger images": (
        changed(Faces, images=np.zeros((700, 64, 64), np.uint8)),
        "faces {faces}, images: expected uint8 (N, 48, 48), received uint8 (700, 64, 64).",
    ),
    "fewer labels": (
        changed(Faces, label=np.zeros(699, np.uint8)),
        "faces {faces}: expected arrays of one length, received images 700, label 699, usage 700.",
    ),
    "a ninth expression": (
        changed(Faces, label=np.full(700, 8, np.uint8)),
        "faces {faces}, label: expected 0 to 7, received 8.",
    ),
    "a fourth usage": (
        changed(Faces, usage=np.full(700, 3, np.uint8)),
        "faces {faces}, usage: expected 0 to 2, received 3.",
    ),
    "masks of numbers": (
        changed(Masks, constant=np.zeros(700, np.uint8)),
        "masks {masks}, constant: expected bool (N,), received uint8 (700,).",
    ),
    "masks of another data set": (
        shorter_masks,
        "masks {masks}: expected one entry for each of the 700 faces in {faces}, received 699.",
    ),
}


def told(expected: str, config: Config) -> str:
    names = ", ".join(field.name for field in dataclasses.fields(Masks))
    return expected.format(faces=config.faces_npz, masks=config.masks_npz, names=names)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_and_leaves_earlier_outputs_as_they_were(name: str, config: Config, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    config.report_json.write_text("earlier")
    spoil, expected = BAD[name]
    spoil(tmp_path)
    with pytest.raises(InputError) as caught:
        run(config)
    assert str(caught.value) == f"{told(expected, config)}\n{MEND}"
    assert contents(tmp_path / "out") == {"report.json": b"earlier"}


def test_a_training_split_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    faces = Faces(np.zeros((3, 48, 48), np.uint8), np.zeros(3, np.uint8), np.array([0, 0, 1], np.uint8))
    faces.save(tmp_path / "faces.npz")
    masks_of(faces).save(tmp_path / "masks.npz")
    with pytest.raises(InputError) as caught:
        run(config_in(tmp_path))
    problem, mend = str(caught.value).splitlines()
    assert problem == (
        f"faces {tmp_path / 'faces.npz'}: expected Training images that are kept, found none "
        "(dropped: 2 constant, 0 conflict, 0 copy)."
    )
    assert mend == "Set drop_copies, drop_conflicts or drop_constant of preprocess to false in params.yaml."
    assert not (tmp_path / "out").exists()


@pytest.mark.genuine
@pytest.mark.slow
def test_the_genuine_data_set_loses_what_its_audit_found(genuine_csv: Path, tmp_path: Path) -> None:
    from components.validate import reader

    faces = reader.read(str(genuine_csv), "").faces
    faces.save(tmp_path / "faces.npz")
    masks_of(faces).save(tmp_path / "masks.npz")
    run(config_in(tmp_path, drop_conflicts=False, drop_constant=False))
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["images"]["training"] == {
        "before": 28_709,
        "after": 28_709 - 1_236,
    }  # surplus copies of reference/data.md
    run(config_in(tmp_path))
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["dropped"] == {"constant": 11, "conflict": 96, "copy": 1_168}
    assert report["images"]["public"] == report["images"]["private"] == {"before": 3_589, "after": 3_589}
    strategies.assert_equal(
        prepared.read(tmp_path / "out/prepared.pickle"), prepared.read(tmp_path / "out/prepared_tfrecord")
    )
