"""The prepared data set on disk: one pickle or a folder of TFRecords, with one meaning."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from components.fer import array_pickle, backend
from components.fer.dataset import MEND, SPLITS, Prepared, Split
from components.fer.errors import InputError


def read(path: Path) -> Prepared:
    """Read what `write_pickle` (a file) or `write_tfrecord` (a folder) wrote.

    Raises `InputError` where `path` holds anything else; a pickle cannot run anything.
    """
    if path.is_dir():
        return _checked(_tfrecord().read(path), path)
    if not path.is_file():
        raise InputError(f"prepared data set {path}: no such file or folder.", MEND)
    return _checked(array_pickle.load(path), path)


def write_pickle(prepared: Prepared, path: Path) -> None:
    """Write one pickle, the same bytes for the same content."""
    array_pickle.dump({name: prepared[name].columns() for name in SPLITS}, path)


def write_tfrecord(prepared: Prepared, folder: Path, shards: int) -> None:
    """Write a new folder of TFRecords, `shards` files a split, the same bytes for the same content."""
    _tfrecord().write({name: prepared[name] for name in SPLITS}, folder, shards)


def _tfrecord() -> ModuleType:
    """Import the one module that needs TensorFlow, which takes seconds."""
    with backend.quiet_import():
        from components.fer import tfrecord

    return tfrecord


def _checked(tree: object, path: Path) -> Prepared:
    """`tree` as splits, if it holds all splits and arrays, of the right dtypes and shapes, and nothing else."""
    where = f"prepared data set {path}"
    splits = _dictionary(tree, where)
    if set(splits) != set(SPLITS):
        received = ", ".join(sorted(map(str, splits)))[:200] or "nothing"
        raise InputError(f"{where}: expected {', '.join(SPLITS)}, received {received}.", MEND)
    return {name: Split.checked(_dictionary(splits[name], f"{where}, {name}"), f"{where}, {name}") for name in SPLITS}


def _dictionary(tree: object, where: str) -> Mapping[str, object]:
    if not isinstance(tree, dict):
        raise InputError(f"{where}: expected a dictionary, received {type(tree).__name__}.", MEND)
    return tree
