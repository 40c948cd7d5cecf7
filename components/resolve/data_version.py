"""Which data there is now: the md5 in a data.dvc, wherever that lies."""

import re
from typing import Any

import yaml

from components.fer.errors import InputError

MD5 = re.compile(r"[0-9a-f]{32}")


def md5(address: str) -> str:
    """Give the md5 of the file that the data.dvc at `address` (a path, https://, gs:// or s3://) names.

    Raises `InputError` where there is none or it names no file, `TemporaryError` where it cannot be reached.
    """
    return parse(_read(address), address)


def parse(text: str, address: str) -> str:
    """Give the md5 in the text of a data.dvc. Raises `InputError` where it does not name one file."""
    try:
        document: Any = yaml.safe_load(text)
        outs = document["outs"]
        found = outs[0]["md5"] if len(outs) == 1 else ""
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        found = ""
    if not isinstance(found, str) or not MD5.fullmatch(found):
        raise InputError(
            f"data.dvc {address}: expected one file with its md5, as `dvc add` writes it, found none.",
            "Give the address of a .dvc file: --data-dvc",
        )
    return found


def _read(address: str) -> str:
    from components.storage import addresses

    missing = InputError(f"data.dvc {address}: no such file.", "Give the address of a .dvc file: --data-dvc")
    with addresses.faults(f"data.dvc {address}", address, missing):
        system, path = addresses.file_system(address)
        with system.open(path, "rb") as file:
            return bytes(file.read()).decode(errors="replace")
