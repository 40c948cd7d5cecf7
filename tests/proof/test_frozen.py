"""The proof on S2's frozen step finds what can be learned, and tells it from what cannot."""

import numpy as np

from tests.proof import frozen


def test_units_learn_what_their_features_tell_and_no_more() -> None:
    generator = np.random.default_rng(1)
    label = generator.integers(0, 7, size=900).astype(np.uint8)
    usage = (np.arange(900) >= 600).astype(np.uint8)
    told = np.eye(7)[label] + generator.normal(0, 0.05, size=(900, 7))
    noise = generator.normal(size=(900, 7))
    (*_, learned), (*_, guessed) = (list(frozen.fits(one.astype(np.float32), label, usage)) for one in (told, noise))
    assert learned.training > 0.99 < learned.public
    assert guessed.training < 0.35
