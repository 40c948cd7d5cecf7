"""How often `ferflow monitor` alarms: on windows of unchanged images, and on windows with a planted change.

    python -m tests.proof.drift [--windows 5000] [--planted 200] [--seed 1] [--store PLACE] [--data PATH]

The images are PublicTest's, the answers those of the champion: its own to unchanged images, and what its model says of
changed ones. A window is held to the PublicTest images that are not in it. With the genuine FER2013 the table goes into
docs/monitor.md, between its markers; without a champion, or its data, drawn faces and a forest of trees stand in,
and the table is only printed. Exit code 1 where unchanged windows alarm more often than promised and chance allow.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from components.fer import made_faces, prepared
from components.fer.dataset import EXPRESSIONS, SPLITS
from components.fer.errors import InputError
from components.fer.metrics.scores import Floats, Labels
from components.model_store.versions import known
from pipeline.models.place import Place
from pipeline.monitor import drift, reference
from pipeline.monitor.command import ALPHA, PREPARED
from pipeline.monitor.sample import FIGURES, Sample

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "monitor.md"
BEGIN, END = "<!-- drift: written by python -m tests.proof.drift -->\n", "<!-- drift: end -->\n"
WINDOWS = (200, 500, 1000)
"""images in a window"""

Images = NDArray[np.uint8]
"""(N, 48, 48, 1)"""
Answer = Callable[[Images], Floats]
"""probabilities (N, 7) of images"""


@dataclass(frozen=True, eq=False)
class Served:
    """What a model was judged on, and how it answers other images."""

    images: Images
    label: Labels
    reference: Sample
    answer: Answer


@dataclass(frozen=True)
class Planted:
    """A change of what is served."""

    name: str
    change: Callable[[Images], Images] | None = None
    """of the images"""
    happy: float = 0.0
    """share of the window that is drawn from happy faces alone"""


def darker(grey: int, images: Images) -> Images:
    """Take so many grey levels away."""
    return np.clip(images.astype(np.int16) - grey, 0, 255).astype(np.uint8)


def blurred(sigma: float, images: Images) -> Images:
    """Blur with a Gaussian of so many pixels."""
    soft: NDArray[np.float32] = ndimage.gaussian_filter(images.astype(np.float32), (0, sigma, sigma, 0))
    return np.round(soft).astype(np.uint8)


def shifted(pixels: int, images: Images) -> Images:
    """Move to the right, and repeat the left edge."""
    return np.concatenate((np.repeat(images[:, :, :1], pixels, axis=2), images[:, :, :-pixels]), axis=2)


def noisy(deviation: float, images: Images) -> Images:
    """Add noise, the same at each call."""
    noise = np.random.default_rng(1).normal(0, deviation, images.shape)
    return np.clip(np.round(images + noise), 0, 255).astype(np.uint8)


NOTHING = Planted("nothing")
CHANGES = (
    Planted("darker by 5 grey levels", partial(darker, 5)),
    Planted("darker by 10", partial(darker, 10)),
    Planted("darker by 20", partial(darker, 20)),
    Planted("darker by 40", partial(darker, 40)),
    Planted("blurred, sigma 1 pixel", partial(blurred, 1.0)),
    Planted("noise, standard deviation 10", partial(noisy, 10.0)),
    Planted("shifted by 4 pixels", partial(shifted, 4)),
    Planted("10 % more happy faces", happy=0.1),
    Planted("25 % more happy faces", happy=0.25),
    Planted("happy faces alone", happy=1.0),
)


def genuine(store: str | None, data: Path) -> Served:
    """The champion of the main job. Raises `InputError` where it, or its data, is not at hand."""
    place = Place.of(None, store, None, None)
    champion = place.store.champion(place.name)
    if champion is None:
        raise InputError(f"champion of {place.name}: none")
    version = known(place.store.versions(place.name), place.name, champion.version)
    sample, public = reference.read(place, version, data), prepared.read(data)[SPLITS[1]]

    from components.fer import backend

    backend.select("tensorflow")
    from components.fer import models, predict

    with place.store.fetched(place.name, version.id) as folder:
        path = folder / "model.keras"
        model = models.load(path)

    def answer(images: Images) -> Floats:
        return predict.probabilities(model, images, path).astype(np.float64)

    return Served(public.images, public.label, sample, answer)


def drawn(count: int) -> Served:
    """Drawn faces, and a forest of trees over their pixels that was fitted to others."""
    from sklearn.ensemble import ExtraTreesClassifier

    random = np.random.default_rng(1)
    label = random.integers(0, len(EXPRESSIONS), count + FITTED).astype(np.uint8)
    images = made_faces.draw(label, random)[..., None]
    model = ExtraTreesClassifier(100, random_state=1).fit(_pixels(images[count:]), label[count:])

    def answer(images: Images) -> Floats:
        answers: Floats = model.predict_proba(_pixels(images))
        return answers

    return Served(images[:count], label[:count], Sample.of(images[:count], answer(images[:count])), answer)


FITTED = 2000
"""drawn faces that the forest learns from; it then names four of five others"""


def _pixels(images: Images) -> Floats:
    """Means of two by two pixels, of mean 0 and deviation 1 in each image: (N, 576)."""
    small = images.reshape(len(images), 24, 2, 24, 2).mean(axis=(2, 4)).reshape(len(images), -1)
    return np.asarray((small - small.mean(axis=1, keepdims=True)) / small.std(axis=1, keepdims=True))


def alarms(
    served: Served, planted: Planted, limits: Floats, size: int, windows: int, seed: int
) -> tuple[float, Counter[str]]:
    """Share of so many windows of `size` images that alarm, and how often each figure was beyond its limit."""
    random, figures = np.random.default_rng(seed), Counter[str]()
    changed = served.reference
    if planted.change:
        images = planted.change(served.images)
        changed = Sample.of(images, served.answer(images))
    found = 0
    for _ in range(windows):
        chosen = np.zeros(len(changed), bool)
        chosen[_places(served.label, size, planted.happy, random)] = True
        beyond = drift.distances(served.reference.only(~chosen), changed.only(chosen)) > limits
        found += bool(beyond.any())
        figures.update(name for name, out in zip(FIGURES, beyond, strict=True) if out)
    return found / windows, figures


def _places(label: Labels, size: int, happy: float, random: np.random.Generator) -> NDArray[np.intp]:
    """Places of a window's images, each once: a share of them happy faces, the rest of any expression."""
    faces = random.permutation(np.flatnonzero(label == EXPRESSIONS.index("happy")))[: round(size * happy)]
    others = np.setdiff1d(np.arange(len(label)), faces)
    return np.concatenate((faces, random.choice(others, size - len(faces), replace=False)))


def table(served: Served, planted: Sequence[Planted], windows: int, few: int, seed: int) -> Iterator[list[str]]:
    """A row for each change: its name, the share of windows of each size that alarm, and what alarms most."""
    limits = {size: drift.calibrate(served.reference, size).limits(ALPHA) for size in WINDOWS}
    for one in planted:
        row, first = [one.name], Counter[str]()
        for size in WINDOWS:
            # Other draws than those of the limits.
            count = windows if one is NOTHING else few
            share, figures = alarms(served, one, limits[size], size, count, seed + drift.SEED)
            row.append(f"{100 * share:.1f} %")
            first = first or figures  # of the smallest window, where not yet all alarm
        yield [*row, ", ".join(name for name, _ in first.most_common(2))]


def written(page: str, lines: Sequence[str]) -> str:
    """The page with the block written again."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{''.join(lines)}\n{END}{after}"


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=5000, help="unchanged windows of each size (default: 5000)")
    parser.add_argument("--planted", type=int, default=200, help="windows of each change and size (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the windows (default: 1)")
    parser.add_argument("--store", help="another model store than that of params.yaml")
    parser.add_argument("--data", type=Path, default=ROOT / PREPARED, help="the prepared data set")
    arguments = parser.parse_args()
    try:
        served, stands_in = genuine(arguments.store, arguments.data), False
    except InputError as error:
        say(f"drawn faces stand in for FER2013, and {PAGE.name} stays as it is: {error}")
        served, stands_in = drawn(3589), True
    lines = [
        f"| change | {' | '.join(f'{size:,} images' for size in WINDOWS)} | most often beyond its limit |\n",
        f"|---|{'---:|' * len(WINDOWS)}---|\n",
    ]
    rows = []
    for row in table(served, (NOTHING, *CHANGES), arguments.windows, arguments.planted, arguments.seed):
        rows.append(row)
        lines.append(f"| {' | '.join(row)} |\n")
        say(lines[-1].strip())
    if not stands_in:
        PAGE.write_text(written(PAGE.read_text(), lines))
    # Three standard errors, of the windows here and of those that the limits come from.
    bound = 100 * (ALPHA + 3 * (ALPHA * (1 - ALPHA) * (1 / arguments.windows + 1 / drift.DRAWS)) ** 0.5)
    kept = all(float(cell.removesuffix(" %")) <= bound for cell in rows[0][1:-1])
    say(
        f"{'PASS' if kept else 'FAIL'}: at most {100 * ALPHA:g} % and chance ({bound:.1f} %) of unchanged windows alarm"
    )
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
