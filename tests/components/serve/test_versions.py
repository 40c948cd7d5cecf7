"""The server opens a version that is whole, in a store or in a folder, and refuses all else by name."""

import shutil
from pathlib import Path

import pytest

from components.fer.errors import FerflowError, InputError, UsageError
from components.model_store import promotion
from components.model_store.folder import FolderStore
from components.model_store.versions import Version
from components.serve import runtime
from components.serve.config import Config
from components.serve.serve import serve
from components.serve.versions import Opened, opened
from tests.components.model_store.made import MD5, NAME, make, verdict


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "models")


@pytest.fixture
def version(store: FolderStore) -> Version:
    return make(store, 60)


def open_at_once(config: Config) -> Opened:
    with opened(config) as found:
        return found


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_stores_champion_is_opened(store: FolderStore, version: Version) -> None:
    promotion.by_gate(store, NAME, None, version.id, verdict("PROMOTE"))
    make(store, 70)
    found = open_at_once(Config(store=str(store.root), name=NAME))
    assert (found.name, found.version, found.folder) == (NAME, version.id, Path(version.address))
    assert found.lineage.data_md5 == MD5


def test_another_version_is_opened_where_it_is_named(store: FolderStore, version: Version) -> None:
    promotion.by_gate(store, NAME, None, version.id, verdict("PROMOTE"))
    other = make(store, 70)
    assert open_at_once(Config(store=str(store.root), name=NAME, version=other.id)).version == other.id


def test_a_folder_is_opened_and_knows_its_model(version: Version, tmp_path: Path) -> None:
    """A mounted one has a name of its own: the version is then given, or told by the digits of its candidate."""
    digits = version.id.partition("-")[2]
    mounted = shutil.copytree(version.address, tmp_path / "mounted")
    assert open_at_once(Config(model=Path(version.address))).version == version.id
    assert open_at_once(Config(model=mounted)).version == digits
    assert open_at_once(Config(model=mounted, version=version.id)).version == version.id
    assert open_at_once(Config(model=mounted)).name == NAME
    assert open_at_once(Config(model=mounted, name="fer")).name == "fer"


def test_a_version_may_have_a_light_model(store: FolderStore, version: Version) -> None:
    light = make(store, 70, files={runtime.NAME: b"light"})
    assert open_at_once(Config(model=Path(light.address))).light.read_bytes() == b"light"
    with pytest.raises(InputError, match=rf"^version {version.id}: expected a light model model\.tflite, found none"):
        _ = open_at_once(Config(model=Path(version.address))).light


def test_observations_need_a_version_that_monitor_knows(version: Version, tmp_path: Path) -> None:
    mounted = shutil.copytree(version.address, tmp_path / "mounted")
    with pytest.raises(UsageError, match="--observations with --model: expected --version"):
        serve(Config(model=mounted, port=0, observations=tmp_path / "observations"))


@pytest.mark.parametrize("file", ["model.keras", "saved_model/saved_model.pb", "lineage.json", "predictions.npz"])
def test_a_flipped_byte_is_refused_by_the_files_name(store: FolderStore, version: Version, file: str) -> None:
    flip_a_byte(Path(version.address) / file)
    for config in (Config(model=Path(version.address)), Config(store=str(store.root), name=NAME, version=version.id)):
        with pytest.raises(InputError, match=rf"{version.id}: {file} is not what was stored"):
            open_at_once(config)


def test_a_changed_manifest_is_refused(version: Version) -> None:
    flip_a_byte(Path(version.address) / "manifest.json")
    with pytest.raises(InputError, match=r"expected a whole manifest\.json"):
        open_at_once(Config(model=Path(version.address)))


def test_a_folder_with_the_files_of_another_version_is_refused(version: Version) -> None:
    with pytest.raises(InputError, match="expected version 0001-00000000, found the files of one that ends in"):
        open_at_once(Config(model=Path(version.address), version="0001-00000000"))


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        (Config(), UsageError, "expected --model FOLDER, or --store STORE with --name NAME"),
        (Config(model=Path("m"), store="s"), UsageError, "received both or neither"),
        (Config(store="models"), UsageError, "--store: expected --name NAME with it"),
        (Config(model=Path("nowhere")), InputError, "model nowhere: expected a folder with the files of a version"),
        (Config(store="nowhere", name=NAME), InputError, "expected a champion in its store, found none"),
        (Config(store="nowhere", name=NAME, version="0001-00000000"), InputError, "expected one that is stored: none"),
    ],
)
def test_what_is_not_there_is_refused(config: Config, error: type[FerflowError], words: str) -> None:
    with pytest.raises(error, match=words):
        open_at_once(config)
