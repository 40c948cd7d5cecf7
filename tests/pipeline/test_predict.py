"""Photos in, probabilities out, by the champion or another version; what is not as it was stored does not answer."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.fer.dataset import EXPRESSIONS
from components.fer.errors import InputError
from components.model_store.folder import FolderStore
from components.model_store.promotion import by_gate
from components.serve.runtime import NAME as LIGHT
from pipeline import cli
from tests.components.model_store.made import NAME, make, verdict
from tests.components.serve.photos import FACE, photo, written

HEAVY = {"keras", "kfp", "matplotlib", "mlflow", "scipy", "sklearn", "tensorflow", "tyro", "google.cloud.storage"}


@pytest.fixture
def here(tmp_path: Path, light_model: bytes) -> Path:
    """A folder with a store whose champion is its second version, a photo, and a wall."""
    store = FolderStore(tmp_path / "models")
    versions = [make(store, right, files={LIGHT: light_model}).id for right in (60, 70)]
    by_gate(store, NAME, None, versions[1], verdict("PROMOTE"))
    (tmp_path / "photo.png").write_bytes(written(photo()))
    (tmp_path / "wall.png").write_bytes(written(Image.new("RGB", (300, 200), "white")))
    return tmp_path


def predict(here: Path, *arguments: str) -> None:
    """ferflow predict, with the store of the folder."""
    cli.main(["predict", "--store", str(here / "models"), "--name", NAME, *arguments])


def champion(here: Path) -> str:
    found = FolderStore(here / "models").champion(NAME)
    assert found is not None
    return found.version


def grey(here: Path, label: int) -> Path:
    """A face of 48 x 48 grey pixels that the model gives this label."""
    image = np.full((48, 48), 90, np.uint8)
    image[0, 0] = label
    path = here / f"{EXPRESSIONS[label]}.png"
    path.write_bytes(written(Image.fromarray(image)))
    return path


def test_a_face_a_line_with_its_probabilities(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [grey(here, label) for label in (3, 5)]
    predict(here, *map(str, paths))
    first, header, *lines = capsys.readouterr().out.splitlines()
    assert first == f"{NAME} {champion(here)}, probabilities in %"
    assert header.split() == ["image", "face", "expression", *EXPRESSIONS]
    for path, line, label in zip(paths, lines, (3, 5), strict=True):
        image, *face, expression, _, _, _, _, _, _, _ = line.split()
        assert (image, face, expression) == (str(path), ["the", "image"], EXPRESSIONS[label])
        assert float(line.split()[-7 + label]) == max(map(float, line.split()[-7:])) > 99


def test_the_face_in_a_photo_is_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict(here, str(here / "photo.png"), "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["version"]) == (NAME, champion(here))
    ((entry,),) = [found["images"]]
    (face,) = entry["faces"]
    assert tuple(face["box"]) == FACE
    assert face["expression"] == max(face["probabilities"], key=face["probabilities"].get)
    assert sum(face["probabilities"].values()) == pytest.approx(1)


def test_what_has_no_face_or_is_no_image_is_said_after_the_others_are_answered(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "text.png").write_text("hello")
    names = ("wall.png", "text.png", "absent.png", "photo.png", "models")
    with pytest.raises(SystemExit) as ended:
        predict(here, *(str(here / name) for name in names))
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert f"image {here}/wall.png: expected a face, found none." in said.err
    assert f"image {here}/text.png: expected a picture, received none, or of a kind that is not read." in said.err
    assert f"image {here}/absent.png: No such file or directory." in said.err
    assert f"image {here}/models: expected a file, found none." in said.err


def test_programs_are_told_what_is_wrong_with_an_image_in_its_place(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        predict(here, str(here / "wall.png"), str(grey(here, 1)), "--json")
    wall, face = json.loads(capsys.readouterr().out)["images"]
    assert "expected a face, found none" in wall["error"]
    assert face["faces"][0]["expression"] == EXPRESSIONS[1]


def test_another_version_answers_where_it_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (version.id for version in FolderStore(here / "models").versions(NAME))
    assert champion(here) == second
    predict(here, "--version", first, str(grey(here, 0)))
    assert capsys.readouterr().out.startswith(f"{NAME} {first},")


def test_a_version_that_is_not_there(here: Path) -> None:
    with pytest.raises(InputError, match="0009-00000000"):
        _main(here, "--version", "0009-00000000")


def test_no_champion(tmp_path: Path, light_model: bytes) -> None:
    make(FolderStore(tmp_path / "models"), 60, files={LIGHT: light_model})
    with pytest.raises(InputError, match=rf"^model {NAME}: expected a champion in its store, found none"):
        _main(tmp_path)


@pytest.mark.parametrize("file", [LIGHT, "model.keras"])
def test_a_version_with_one_flipped_byte_is_refused_by_name(here: Path, file: str) -> None:
    path = here / "models" / NAME / "versions" / champion(here) / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{champion(here)}.*{file}"):
        _main(here)


def test_it_loads_nothing_heavy(here: Path) -> None:
    """`make bench` has its time; what keeps it short is that these are not imported."""
    program = (
        "import sys, pipeline.cli\ntry: pipeline.cli.main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    options = ["predict", "--store", str(here / "models"), "--name", NAME, str(here / "photo.png")]
    done = subprocess.run([sys.executable, "-c", program, *options], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())
    assert "dlib" in done.stderr.split()


def _main(here: Path, *arguments: str) -> None:
    """The command without the command line's handling of errors."""
    options = cli.parser().parse_args(
        ["predict", "--store", str(here / "models"), "--name", NAME, str(grey(here, 0)), *arguments]
    )
    cli.predict(options)
