"""What a request means: laws of both protocols, without a server."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from components.serve.limits import Limits
from components.serve.protocol import ask_v1, ask_v2
from components.serve.refused import Refused
from components.serve.tensors import elements, pixels

LIMITS = Limits()

some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
sizes = st.integers(-1, 3) | st.sampled_from([1, 48])
some_tensor = st.fixed_dictionaries(
    {"name": st.just("images"), "shape": st.lists(sizes) | some_json, "datatype": st.sampled_from(["UINT8", "BYTES"])},
    optional={"data": some_json, "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "x"]), some_json)},
)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)))
def test_pixels_are_those_of_the_lists(image: NDArray[np.uint8]) -> None:
    found = pixels(image.tolist(), "data")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, image, strict=True)


@given(some_json)
def test_lists_are_pixels_or_refused(data: Any) -> None:
    try:
        assert pixels(data, "data").dtype == np.uint8
    except Refused as error:
        assert str(error).startswith("data: expected ")  # noqa: PT017 most of them are refused, not all


@given(st.lists(st.binary()))
def test_elements_are_those_that_were_written(photos: list[bytes]) -> None:
    written = b"".join(struct.pack("<I", len(photo)) + photo for photo in photos)
    assert elements(written, "data") == photos


@given(st.binary())
def test_any_bytes_are_elements_or_refused(content: bytes) -> None:
    try:
        assert sum(4 + len(one) for one in elements(content, "data")) == len(content)
    except Refused as error:
        assert error.kind == "tensor"  # noqa: PT017


@given(some_json | st.fixed_dictionaries({"inputs": st.lists(some_tensor, max_size=2)}), st.binary(), st.booleans())
def test_whatever_is_asked_by_v2_is_answered_or_refused(request: Any, tail: bytes, binary: bool) -> None:
    head = json.dumps(request).encode()
    try:  # none of these has an image's pixels
        assert ask_v2(head + tail if binary else head, str(len(head)) if binary else None, LIMITS).photos
    except Refused as error:
        assert error.status == 400  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@given(some_json | st.fixed_dictionaries({"instances": st.lists(some_json, max_size=3)}))
def test_whatever_is_asked_by_v1_is_answered_or_refused(request: Any) -> None:
    with pytest.raises(Refused) as refused:
        ask_v1(json.dumps(request).encode(), LIMITS)
    assert refused.value.status == 400


@given(arrays.arrays(np.uint8, st.integers(1, 3).map(lambda count: (count, 48, 48, 1))))
def test_both_protocols_mean_the_same_images(images: NDArray[np.uint8]) -> None:
    tensor = {"name": "images", "shape": list(images.shape), "datatype": "UINT8"}
    as_json = json.dumps({"inputs": [{**tensor, "data": images.ravel().tolist()}]}).encode()
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": images.size}}]}).encode()
    instances = json.dumps({"instances": images.tolist()}).encode()
    for asked in (
        ask_v2(as_json, None, LIMITS),
        ask_v2(head + images.tobytes(), str(len(head)), LIMITS),
        ask_v1(instances, LIMITS),
    ):
        assert asked.images.dtype == np.uint8
        np.testing.assert_array_equal(asked.images, images)
