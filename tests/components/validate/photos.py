"""Tiny data sets of photographs in the layouts of their authors: flat grey levels, each with a number of its own."""

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

FACE = (30, 20, 70, 60)
"""Where the photographs of `photograph` show a face."""


def grey(path: Path, level: int, mode: str = "RGB", size: tuple[int, int] = (100, 100)) -> None:
    """Write a photograph of one grey level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level,) * 3).save(path)


def photograph(path: Path, level: int, size: tuple[int, int] = (120, 90)) -> None:
    """Write a black photograph with a face of one grey level at `FACE`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size)
    image.paste((level,) * 3, FACE)
    image.save(path)


def write_rafdb(root: Path, images: Mapping[str, int]) -> None:
    """Write RAF-DB: labels 1 to 7 by the names of its list (train_00001.jpg); the n-th image has grey level 10 n."""
    (root / "EmoLabel").mkdir(parents=True)
    lines = [f"{name} {label}\n" for name, label in images.items()]
    (root / "EmoLabel" / "list_patition_label.txt").write_text("".join(lines))
    for number, name in enumerate(images, start=1):
        grey(root / "Image" / "aligned" / name.replace(".jpg", "_aligned.jpg"), 10 * number)


def write_ckplus(root: Path, emotions: Mapping[str, int]) -> None:
    """Write CK+: numbers 1 to 7 by the names of last frames (S005_001_00000011); the n-th face has grey level 10 n."""
    for number, (frame, emotion) in enumerate(emotions.items(), start=1):
        place = Path(*frame.split("_")[:2]) / frame
        photograph(root / "cohn-kanade-images" / f"{place}.png", 10 * number)
        text(root / "Emotion" / f"{place}_emotion.txt", f"   {emotion:.7e}\n")
        left, top, right, bottom = FACE
        points = [(left + 8, top + 8), (right - 8, top + 8), (left + 8, bottom - 8), (right - 8, bottom - 8)]
        text(root / "Landmarks" / f"{place}_landmarks.txt", "".join(f"   {x:.7e}   {y:.7e} \n" for x, y in points))


def write_affectnet(root: Path, lists: Mapping[str, Mapping[str, int]]) -> None:
    """Write AffectNet: expressions 0 to 10 by path, for each list; the n-th face has grey level 10 n."""
    number = 0
    left, top, right, bottom = FACE
    for name, images in lists.items():
        lines = [
            "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
        ]
        for path, expression in images.items():
            number += 1
            photograph(root / "Manually_Annotated_Images" / path, 10 * number)
            lines.append(f"{path},{left},{top},{right - left},{bottom - top},1.0;2.0,{expression},-0.2,0.3")
        text(root / "Manually_Annotated_file_lists" / name, "\n".join([*lines, ""]))


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
