"""The masks that validate would give, in the plainest way, without near copies: preprocess does not look at them."""

import numpy as np

from components.fer.dataset import SIDE, Faces, Masks


def masks_of(faces: Faces) -> Masks:
    first: dict[bytes, int] = {}
    labels: dict[int, set[int]] = {}
    group = np.zeros(len(faces), np.int32)
    for row, image in enumerate(faces.images):
        group[row] = first.setdefault(image.tobytes(), row)
        labels.setdefault(int(group[row]), set()).add(int(faces.label[row]))
    flat = faces.images.reshape(len(faces), SIDE * SIDE)
    in_training = np.isin(group, group[faces.usage == 0])
    clean = (faces.usage == 0) | ~in_training
    return Masks(
        clean_exact=clean,
        clean_near=clean,
        constant=(flat == flat[:, :1]).all(axis=1),
        conflict=np.array([len(labels[int(g)]) > 1 for g in group], bool),
        copy_group=group,
        near_correlation=np.full(len(faces), np.nan, np.float32),
    )
