"""What a submission says about a run."""

import json

import pytest

from components.fer.errors import InputError
from components.model_store import provenance

GIVEN = {
    "commit": "3f6c48d",
    "dirty": False,
    "images": {"train-backbone": "registry/ferflow-train-backbone@sha256:00"},
    "parameters": {"training__seed": 1, "training__dropout": 1.0, "training__flip": True, "evaluate__ferplus": ""},
    "run": "fer-hybrid-20260102",
}


def test_it_is_kept_as_it_was_given() -> None:
    made = provenance.parse(json.dumps(GIVEN))
    assert made is not None
    assert json.loads(made.model_dump_json()) == GIVEN
    kinds = [type(value) for value in made.parameters.values()]
    assert kinds == [int, float, bool, str]


def test_a_desk_gives_none() -> None:
    assert provenance.parse("") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "text: Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (json.dumps({key: value for key, value in GIVEN.items() if key != "images"}), "images: Field required"),
        (json.dumps(GIVEN | {"user": "me"}), "user: Extra inputs are not permitted"),
        (json.dumps(GIVEN | {"dirty": "no"}), "dirty: Input should be a valid boolean"),
    ],
)
def test_anything_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        provenance.parse(text)
    assert str(raised.value) == (
        f"provenance: expected JSON with commit, dirty, images, parameters and run, received: {said}.\n"
        "ferflow submit writes it; leave it empty elsewhere: --provenance ''"
    )
