"""The pickle's reader admits plain arrays and runs nothing."""

import builtins
import contextlib
import copyreg
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer import array_pickle
from components.fer.errors import InputError

BYTES = np.arange(12, dtype=np.uint8).reshape(3, 4)
TREE: array_pickle.Tree = {
    "a": {"x": BYTES, "y": np.array([-1, 2**31 - 1], np.int32)},
    "b": {"x": np.zeros((0, 4), np.uint8)},
}

# Operations of a pickle, to write by hand what pickle.dumps would not.
START, STOP, CALL, BUILD, FALSE, TRUE = b"\x80\x05", b".", b"R", b"b", b"\x89", b"\x88"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def found(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def buffer(content: bytes, length: int | None = None) -> bytes:
    return b"\x96" + (len(content) if length is None else length).to_bytes(8, "little") + content


DTYPE = found("numpy", "dtype")
ARRAY = found("numpy._core.numeric", "_frombuffer")
BYTE_DTYPE = DTYPE + text("u1") + FALSE + TRUE + b"\x87" + CALL


class Attack:
    """Pickles to a call of anything."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


def refusal(content: bytes, folder: Path) -> str:
    path = folder / "prepared.pickle"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        array_pickle.load(path)
    problem, mend = str(caught.value).splitlines()
    assert mend == "If it comes from elsewhere, do not trust it. Write it again: dvc repro"
    assert problem.startswith(f"pickle {path}: ")
    return problem.removeprefix(f"pickle {path}: ")


def test_arrays_come_back_bit_for_bit_and_writable(tmp_path: Path) -> None:
    array_pickle.dump(TREE, tmp_path / "p")
    loaded: Any = array_pickle.load(tmp_path / "p")
    assert {outer: list(inner) for outer, inner in loaded.items()} == {"a": ["x", "y"], "b": ["x"]}
    for outer, inner in TREE.items():
        for name, array in inner.items():
            received = loaded[outer][name]
            assert (received.dtype, received.shape) == (array.dtype, array.shape)
            assert received.tobytes() == array.tobytes()
            assert received.flags.writeable


def test_plain_pickle_reads_the_same(tmp_path: Path) -> None:
    array_pickle.dump(TREE, tmp_path / "p")
    loaded = pickle.loads((tmp_path / "p").read_bytes())
    np.testing.assert_array_equal(loaded["a"]["y"], TREE["a"]["y"], strict=True)


def test_the_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    read_only = BYTES.copy()
    read_only.flags.writeable = False
    same = [
        BYTES,
        read_only,
        np.asfortranarray(BYTES),
        np.repeat(BYTES, 2, 1)[:, ::2],
        np.frombuffer(BYTES.tobytes(), "u1").reshape(3, 4),
    ]
    written = set()
    for array in same:
        for number in (np.array([1, 2], "<i4"), np.array([1, 2], ">i4")):
            array_pickle.dump({"a": {"x": array, "y": number}}, tmp_path / "p")
            written.add((tmp_path / "p").read_bytes())
    assert len(written) == 1


def test_a_pickle_of_older_numpy_is_read(tmp_path: Path) -> None:
    array_pickle.dump(TREE, tmp_path / "p")
    old = (tmp_path / "p").read_bytes().replace(text("numpy._core.numeric"), text("numpy.core.numeric"))
    frame = old.index(b"\x95")  # its length no longer holds
    (tmp_path / "p").write_bytes(old[:frame] + old[frame + 9 :])
    array_pickle.load(tmp_path / "p")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["alone", "nested", "beside an array", "as a key"])
@pytest.mark.parametrize("function", [os.system, builtins.eval])
def test_a_call_is_refused_and_does_not_run(protocol: int, place: str, function: Any, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    argument = f"touch {mark}" if function is os.system else f"open({str(mark)!r}, 'w').close()"
    attack = Attack(function, (argument,))
    tree = {"alone": attack, "nested": {"a": {"x": attack}}, "beside an array": {"a": {"x": BYTES, "y": attack}}}
    content = pickle.dumps(tree.get(place, {attack: 1}), protocol)
    assert re.match("expected arrays and nothing else, found the (operation|global) ", refusal(content, tmp_path))
    assert not mark.exists()
    pickle.loads(content)  # the attack is a real one
    assert mark.exists()


CALLED = found("os", "system") + text("exit 1") + b"\x85" + CALL
HAND_MADE = {
    "os.system": (START + CALLED + STOP, "the global os.system"),
    "dotted name": (START + found("numpy", "dtype.__class__") + STOP, "the global numpy.dtype.__class__"),
    "dotted function": (
        START + found("numpy._core.numeric", "_frombuffer.__globals__") + STOP,
        "the global numpy._core.numeric._frombuffer.__globals__",
    ),
    "getattr": (START + found("builtins", "getattr") + STOP, "the global builtins.getattr"),
    "another function of NumPy": (START + found("numpy", "load") + STOP, "the global numpy.load"),
    "numpy.ndarray": (START + found("numpy", "ndarray") + STOP, "the global numpy.ndarray"),
    "this module": (
        START + found("components.fer.array_pickle", "load") + STOP,
        "the global components.fer.array_pickle.load",
    ),
    "GLOBAL": (b"\x80\x02cos\nsystem\n.", "the operation GLOBAL"),
    "INST": (b"(S'exit 1'\nios\nsystem\n.", "the operation STRING"),
    "INST without argument": (b"(ios\ngetcwd\n.", "the operation INST"),
    "OBJ": (START + b"(" + found("builtins", "list") + b"o.", "the operation OBJ"),
    "NEWOBJ": (START + found("builtins", "list") + b"N\x85\x81.", "the operation NEWOBJ"),
    "NEWOBJ_EX": (START + found("builtins", "list") + b"N\x85}\x92.", "the operation NEWOBJ_EX"),
    "PERSID": (b"Pthing\n.", "the operation PERSID"),
    "BINPERSID": (START + text("thing") + b"Q.", "the operation BINPERSID"),
    "EXT1": (b"\x80\x02\x82\x01.", "the operation EXT1"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "the operation EXT4"),
    "out-of-band buffer": (pickle.dumps({"a": BYTES}, 5, buffer_callback=lambda _: None), "the operation NEXT_BUFFER"),
    "array of protocol 4": (pickle.dumps(BYTES, 4), "the operation SHORT_BINBYTES"),
    "object array": (pickle.dumps(np.array([None, 1], object), 5), "the operation SHORT_BINBYTES"),
    "structured array": (pickle.dumps(np.zeros(2, [("x", "u1"), ("y", "O")]), 5), "the operation SHORT_BINBYTES"),
    "list": (pickle.dumps([BYTES], 5), "the operation EMPTY_LIST"),
    "set": (pickle.dumps({1}, 5), "the operation EMPTY_SET"),
    "number of any size": (pickle.dumps(2**9999, 5), "the operation LONG4"),
}


@pytest.mark.parametrize("name", HAND_MADE)
def test_anything_but_arrays_is_refused(name: str, tmp_path: Path) -> None:
    content, what = HAND_MADE[name]
    assert refusal(content, tmp_path) == f"expected arrays and nothing else, found {what}."


def test_a_registered_extension_is_not_looked_up(tmp_path: Path) -> None:
    copyreg.add_extension("os", "system", 240)
    try:
        assert "EXT1" in refusal(b"\x80\x02\x82\xf0.", tmp_path)
    finally:
        copyreg.remove_extension("os", "system", 240)


CHANGED = "expected arrays and nothing else, found a change of how they are made."
NOT_AN_ARRAY = "expected a contiguous array of numbers, found another."
STATE = b"(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t"
TRICKS = {
    "object dtype": (
        DTYPE + text("O8") + FALSE + TRUE + b"\x87" + CALL,
        "expected the dtypes u1 and i4, found ('O8', False, True).",
    ),
    "huge dtype": (
        DTYPE + text("V2147483647") + FALSE + TRUE + b"\x87" + CALL,
        "expected the dtypes u1 and i4, found ('V2147483647', False, True).",
    ),
    "dtype of a dictionary": (DTYPE + b"}" + b"\x85" + CALL, "expected the dtypes u1 and i4, found ({},)."),
    "dtype with an object flag": (
        BYTE_DTYPE + STATE.replace(b"K\x00t", b"K\x3ft") + BUILD,
        "expected the state of a plain u1, found (3, '|', None, None, None, -1, -1, 63).",
    ),
    "dtype with fields": (
        BYTE_DTYPE + STATE.replace(b"NNN", b"N}}") + BUILD,
        "expected the state of a plain u1, found (3, '|', None, {}, {}, -1, -1, 0).",
    ),
    "other byte order": (
        BYTE_DTYPE + STATE.replace(b"|", b">") + BUILD,
        "expected the state of a plain u1, found (3, '>', None, None, None, -1, -1, 0).",
    ),
    "attributes of a dtype": (
        BYTE_DTYPE + b"}" + text("name") + text("i4") + b"s" + BUILD,
        "expected the state of a plain u1, found {'name': 'i4'}.",
    ),
    "attributes of the array's maker": (ARRAY + b"}" + text("__doc__") + text("x") + b"s" + BUILD, CHANGED),
    "attributes of the dtype's maker": (DTYPE + b"}" + text("__doc__") + text("x") + b"s" + BUILD, CHANGED),
    "shape too large": (
        ARRAY + b"(" + buffer(b"abc") + BYTE_DTYPE + b"K\x04\x85" + text("C") + b"t" + CALL,
        "expected 3 bytes for an array, found the shape (4,).",
    ),
    "shape below zero": (
        ARRAY
        + b"("
        + buffer(b"abc")
        + BYTE_DTYPE
        + b"J\xff\xff\xff\xffJ\xfd\xff\xff\xff\x86"
        + text("C")
        + b"t"
        + CALL,
        "expected 3 bytes for an array, found the shape (-1, -3).",
    ),
    "shape of truths": (
        ARRAY + b"(" + buffer(b"a") + BYTE_DTYPE + TRUE + b"\x85" + text("C") + b"t" + CALL,
        "expected 1 bytes for an array, found the shape (True,).",
    ),
    "Fortran order": (ARRAY + b"(" + buffer(b"a") + BYTE_DTYPE + b"K\x01\x85" + text("F") + b"t" + CALL, NOT_AN_ARRAY),
    "text for a buffer": (ARRAY + b"(" + text("a") + BYTE_DTYPE + b"K\x01\x85" + text("C") + b"t" + CALL, NOT_AN_ARRAY),
    "no dtype": (ARRAY + b"(" + buffer(b"a") + text("O") + b"K\x01\x85" + text("C") + b"t" + CALL, NOT_AN_ARRAY),
    "no arguments": (ARRAY + b"(t" + CALL, NOT_AN_ARRAY),
}


@pytest.mark.parametrize("name", TRICKS)
def test_what_makes_arrays_takes_plain_arguments_and_stays_as_it_is(name: str, tmp_path: Path) -> None:
    program, message = TRICKS[name]
    assert refusal(START + program + STOP, tmp_path) == message


def test_nothing_may_follow_the_end(tmp_path: Path) -> None:
    array_pickle.dump(TREE, tmp_path / "p")
    content = (tmp_path / "p").read_bytes()
    assert (
        refusal(content + CALLED, tmp_path)
        == f"expected its end at byte {len(content)}, found {len(CALLED)} more bytes."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"emotion,pixels,Usage\n0,1 2 3,Training\n",
        b"PK\x03\x04",
        START,
        START + buffer(b"", 2**63) + STOP,  # more than a machine can address
        START + buffer(b"", 2**40) + STOP,
        START + b"\x95" + b"\xff" * 8 + STOP,
        START + CALL + STOP,
        START + b"h\x07" + STOP,
        START + b"t" + STOP,
        START + b"}}K\x01s" + STOP,
    ],
)
def test_what_is_no_whole_pickle_is_refused(content: bytes, tmp_path: Path) -> None:
    assert refusal(content, tmp_path)


def test_size_and_nesting_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = START + b"N" + b"\x85" * 1_000_000 + STOP  # a tuple in a tuple in ...: hash would overflow the stack
    assert refusal(deep, tmp_path) == "expected at most 2000 operations, found more."
    monkeypatch.setattr(array_pickle, "MOST_BYTES", 10)
    assert refusal(b"x" * 11, tmp_path) == "11 bytes, expected at most 10."


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pickle") / "p"
    array_pickle.dump(TREE, path)
    return path


def test_every_cut_is_refused(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    for length in range(len(content)):
        assert refusal(content[:length], tmp_path)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_pickle_gives_an_error_or_a_dictionary_of_arrays(good: Path, data: st.DataObject) -> None:
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = good.with_name("damaged")
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        array_pickle.load(path)
