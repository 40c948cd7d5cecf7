"""The hashed requirement files agree with each other and name no index."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_requirements_name_no_index_and_agree() -> None:
    """One version of each package in all images, each with its hashes, from whatever index the reader has."""
    files = sorted((ROOT / "infra" / "requirements").glob("*.txt"))
    pins = {
        file.name: set(re.findall(r"^\S+==[^ ;]+(?: ; [^\\]+?)?(?= \\)", file.read_text(), re.MULTILINE))
        for file in files
    }
    assert set(pins) >= {f"{name}.txt" for name in ("validate", "train-hybrid", "desk", "dev")}
    for file in files:
        assert "://" not in file.read_text()
        names = {pin.partition(" ;")[0] for pin in pins[file.name]}
        others = names - {pin.partition(" ;")[0] for pin in pins["dev.txt"]}
        # A desk has no CUDA: only such packages, which have no other version there, may be in an image alone.
        known = {pin.partition("==")[0] for pin in pins["dev.txt"]}
        assert not {name for name in others if name.partition("==")[0] in known}, file.name
        assert not others or file.stem.endswith("-cuda"), file.name
