"""The hashed requirement files agree with each other and name no index."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_requirements_name_no_index_and_agree() -> None:
    """One version of each package in all images, each with its hashes, from whatever index the reader has."""
    files = sorted((ROOT / "infra" / "requirements").glob("*.txt"))
    for file in files:
        assert "://" not in file.read_text()
    files = [file for file in files if file.stem != "tfx-check"]
    pins = {
        file.name: set(re.findall(r"^\S+==[^ ;]+(?: ; [^\\]+?)?(?= \\)", file.read_text(), re.MULTILINE))
        for file in files
    }
    assert set(pins) >= {f"{name}.txt" for name in ("validate", "train-hybrid", "desk", "dev")}
    for file in files:
        names = {pin.partition(" ;")[0] for pin in pins[file.name]}
        others = names - {pin.partition(" ;")[0] for pin in pins["dev.txt"]}
        # A desk has no CUDA: only such packages, which have no other version there, may be in an image alone.
        known = {pin.partition("==")[0] for pin in pins["dev.txt"]}
        assert not {name for name in others if name.partition("==")[0] in known}, file.name
        assert not others or file.stem.endswith("-cuda"), file.name


def test_tfx_has_its_own_packages_but_computes_with_the_same_ones() -> None:
    """TFX asks for older ones, so its image agrees with the others in what a model's answers depend on alone."""
    files = [(ROOT / "infra" / "requirements" / f"{name}.txt").read_text() for name in ("tfx-check", "dev")]
    for package in ("tensorflow-cpu", "keras", "numpy", "ml-dtypes", "protobuf"):
        own, others = (set(re.findall(rf"^{package}==([^ ;]+)", text, re.MULTILINE)) for text in files)
        assert len(own) == 1
        assert own <= others, package
