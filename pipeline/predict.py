"""`ferflow predict`: the expressions on photos, by a stored version, within a second or so of starting.

So it imports little, and reads params.yaml without the checks of all jobs, which take a third of that time.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, expression_names
from components.fer.errors import InputError
from components.model_store.store import Store, open_store
from components.serve import versions
from pipeline.cluster.columns import aligned

if TYPE_CHECKING:
    from components.serve.runtime import Runtime

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = "params.yaml"


@dataclass(frozen=True)
class Answered:
    """A face in an image, and what the model says of it."""

    image: Path
    box: tuple[int, int, int, int] | None
    """left, top, width and height in the image; none where the image is the face"""
    probabilities: NDArray[np.float32]
    """(7,) or (8,)"""

    @property
    def expression(self) -> str:
        """The most probable one."""
        return EIGHT[int(self.probabilities.argmax())]


def main(
    images: Sequence[Path], recipe: str | None, store: str | None, name: str | None, version: str | None, as_json: bool
) -> None:
    """Print what a version (none: the champion) says of the faces in images.

    Raises `InputError` after that where an image could not be read or has no face; before it where there is no such
    version, one of its files is not as it was stored, or it has no light model.
    """
    from components.serve import runtime

    with versions.in_store(*where(recipe, store, name), version or "") as opened:
        model = runtime.Runtime(opened.light)
    answered, faults = answers(images, model)
    if as_json:
        shown = json.dumps(tree(opened.name, opened.version, images, answered, faults), indent=2)
        sys.stdout.write(f"{shown}\n")
    elif answered:
        sys.stdout.write(f"{opened.name} {opened.version}, probabilities in %\n{table(answered)}\n")
    sys.stdout.flush()
    if faults:
        raise InputError("\n".join(map(str, faults.values())))


def answers(images: Sequence[Path], model: "Runtime") -> tuple[list[Answered], dict[Path, InputError]]:
    """Find the faces in images and let `model` answer them all at once; gives also what is wrong with which image."""
    from components.serve import photo

    found: list[tuple[Path, photo.Face]] = []
    faults: dict[Path, InputError] = {}
    for path in dict.fromkeys(images):
        try:
            found += [(path, face) for face in photo.faces(content(path), f"image {path}")]
        except InputError as error:
            faults[path] = error
    if not found:
        return [], faults
    probabilities = model.probabilities(np.stack([face.pixels for _, face in found]))
    return [Answered(path, face.box, row) for (path, face), row in zip(found, probabilities, strict=True)], faults


def content(path: Path) -> bytes:
    """Read an image's file. Raises `InputError` where there is none."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"image {path}: expected a file, found none.", "Give the images one by one.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"image {path}: {error.strerror}.", "Correct the path or its permissions.") from error


def where(recipe: str | None, store: str | None, name: str | None) -> tuple[Store, str]:
    """Store and name of the main job's params.yaml, or a recipe's; what is given takes their place.

    Raises `InputError` where there is no such recipe, it pushes no model, or there can be no such store.
    """
    folder = ROOT / "recipes" / recipe if recipe else ROOT
    if not (store and name):
        try:
            values = yaml.load((folder / PARAMETERS).read_text(), Loader=yaml.CSafeLoader)["registry"]
            kept, called = str(values["store"]), str(values["name"])
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            from pipeline.models.place import Place  # it looks at everything, and says what is wrong

            place = Place.of(recipe, store, name, None)
            return place.store, place.name
        store, name = store or (kept if "://" in kept else str(folder / kept)), name or called
    return open_store(store), name


def table(answered: Sequence[Answered]) -> str:
    """A line a face, of which there is at least one."""
    names = expression_names(len(answered[0].probabilities))
    rows: list[tuple[str, ...]] = [("image", "face", "expression", *names)]
    rows += [
        (str(one.image), _placed(one.box), one.expression, *(f"{100 * share:.1f}" for share in one.probabilities))
        for one in answered
    ]
    return aligned(rows)


def tree(
    name: str, version: str, images: Sequence[Path], answered: Sequence[Answered], faults: dict[Path, InputError]
) -> dict[str, object]:
    """The same for programs: an entry an image, with its faces or with what is wrong with it."""
    entries: list[dict[str, object]] = []
    for path in dict.fromkeys(images):
        if path in faults:
            entries.append({"image": str(path), "error": str(faults[path])})
            continue
        faces = [
            {
                "box": one.box,
                "expression": one.expression,
                "probabilities": dict(zip(EIGHT, map(float, one.probabilities), strict=False)),
            }
            for one in answered
            if one.image == path
        ]
        entries.append({"image": str(path), "faces": faces})
    return {"name": name, "version": version, "images": entries}


def _placed(box: tuple[int, int, int, int] | None) -> str:
    return "the image" if box is None else f"{box[2]}x{box[3]}{box[0]:+d}{box[1]:+d}"
