from pathlib import Path

import keras
import numpy as np
import pytest

from components.fer import predict
from components.fer.errors import InputError

PATH = Path("the_model")


def network(dtype: str = "uint8", side: int = 48, units: int = 7) -> keras.Model:
    image = keras.Input((side, side, 1), dtype=dtype)
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Dense(units, activation="softmax")(flat))


def test_a_model_of_the_contract_passes() -> None:
    predict.check_model(network(), PATH)


@pytest.mark.parametrize("difference", [{"dtype": "float32"}, {"side": 32}, {"units": 6}])
def test_another_model_is_refused_by_name(difference: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"the_model: expected uint8 \(N, 48, 48, 1\) in"):
        predict.check_model(network(**difference), PATH)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.9, -1.0])
def test_rows_that_are_no_distribution_are_refused(wrong: float) -> None:
    rows = np.eye(7, dtype=np.float32)
    predict.check_probabilities(rows, PATH)
    rows[2, 2] = wrong
    with pytest.raises(InputError, match=r"the_model: expected rows .* 1 of 7 do not"):
        predict.check_probabilities(rows, PATH)
