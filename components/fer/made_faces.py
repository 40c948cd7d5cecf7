"""Drawn faces with seven expressions: stands in for FER2013 where it is absent, in its format and with its defects."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EXPRESSIONS, SIDE, USAGES, Faces

Floats = NDArray[np.float64]


class Features(NamedTuple):
    """What a drawn expression looks like; lengths in pixels."""

    mouth_bend: float
    """how far the corners of the mouth lie above its middle"""
    mouth_open: float
    """half the height of the mouth"""
    brow_tilt: float
    """how far the outer end of a brow lies above its inner end"""
    brow_lift: float
    """how far the brows lie above their rest"""
    eye_open: float
    """half the height of an eye"""


DRAWN = {
    "angry": Features(-1.5, 1.2, 3.0, -2.0, 1.6),
    "disgust": Features(-2.5, 0.8, 1.5, -1.0, 1.0),
    "fear": Features(-0.5, 2.2, -3.0, 2.0, 2.6),
    "happy": Features(3.0, 1.8, 0.0, 0.5, 1.7),
    "sad": Features(-3.0, 0.8, -2.5, 0.5, 1.5),
    "surprise": Features(0.0, 4.0, 0.0, 3.0, 3.0),
    "neutral": Features(0.0, 0.8, 0.0, 0.0, 2.0),
}


def made_faces(count: int, seed: int) -> Faces:
    """Draw `count` faces: about 80 % Training, 10 % PublicTest, 10 % PrivateTest, all expressions equally often.

    As in FER2013, some images are exact copies (also across splits), one copy bears another label, and one Training
    image is all zero, so that an audit has something to find.
    """
    random = np.random.default_rng(seed)
    label = (np.arange(count) % len(EXPRESSIONS)).astype(np.uint8)
    images = draw(label, random)
    usage = np.zeros(count, np.uint8)
    usage[count * 8 // 10 :] = USAGES.index("PublicTest")
    usage[count * 9 // 10 :] = USAGES.index("PrivateTest")
    copies = max(1, count // 100)
    for split in np.unique(usage):
        # Rows of a split beyond its first 40 repeat early Training images of the same expression.
        rows = np.flatnonzero(usage == split)[40 : 40 + copies]
        images[rows] = images[rows % len(EXPRESSIONS)]
    if count > 50:
        label[30] = (label[23] + 1) % len(EXPRESSIONS)
        images[30] = images[23]
        images[37] = 0
    return Faces(images, label, usage)


def draw(label: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one face for each entry of `label` (N,): uint8 (N, 48, 48), each with its own pose, light and noise."""
    count = len(label)

    def jitter(reach: float) -> Floats:
        return random.uniform(-reach, reach, (count, 1, 1))

    table = np.array([DRAWN[name] for name in EXPRESSIONS])[label]
    bend, opening, tilt, lift, eye = (
        column[:, None, None] for column in (table + random.normal(0, 0.4, table.shape)).T
    )
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    angle, scale = jitter(0.15), 1 + jitter(0.12)
    dx, dy = x - SIDE / 2 - jitter(3), y - SIDE / 2 - jitter(3)
    u = (dx * np.cos(angle) + dy * np.sin(angle)) * scale
    v = (dy * np.cos(angle) - dx * np.sin(angle)) * scale
    image = 90 + jitter(50) + u * jitter(1.5)
    image = _paint(image, (u / 17) ** 2 + (v / 21) ** 2, 175 + jitter(40))
    aside = np.abs(u)
    image = _paint(image, ((aside - 7) / 3.5) ** 2 + ((v + 5) / np.maximum(eye, 0.5)) ** 2, 35 + jitter(15))
    brow = v + 10 + lift + tilt * (aside - 7) / 5
    image = _paint(image, ((aside - 7) / 5) ** 4 + (brow / 1.2) ** 2, 50 + jitter(20))
    mouth = v - 10 + bend * ((u / 7) ** 2 - 0.5)
    image = _paint(image, (u / 8) ** 4 + (mouth / np.maximum(opening, 0.5)) ** 2, 60 + jitter(20))
    image = image + random.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def _paint(image: Floats, shape: Floats, grey: Floats) -> Floats:
    """Put `grey` where `shape` (an implicit function) is below 1, with a soft edge."""
    cover = 1 / (1 + np.exp(np.clip((shape - 1) * 4, -30, 30)))
    return image * (1 - cover) + grey * cover


def write_csv(faces: Faces, path: Path) -> None:
    """Write a data set byte for byte as the official fer2013.csv is written."""
    text = np.array([str(value) for value in range(256)])
    with path.open("w", newline="", encoding="ascii") as file:
        file.write("emotion,pixels,Usage\n")
        for image, label, usage in zip(faces.images, faces.label, faces.usage, strict=True):
            file.write(f"{label},{' '.join(text[image.ravel()])},{USAGES[usage]}\n")
