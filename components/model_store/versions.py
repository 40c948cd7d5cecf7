"""How versions are named: 0003-1a2b3c4d is the third one, and its candidate's sha256 begins with 1a2b3c4d."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from components.fer.errors import InputError

DIGITS = 8
"""Digits of a candidate's sha256 in the name of its version."""


@dataclass(frozen=True)
class Version:
    """One stored version."""

    id: str
    """0003-1a2b3c4d"""
    address: str
    """where its files are: a folder, or gs://BUCKET/..."""


def candidate_sha256(files: Sequence[str], data_md5: str) -> str:
    """Digest of a candidate: what makes two pushes the same.

    `files` are the sha256 of its model, its metrics and its predictions, `data_md5` is of its source data set.
    """
    return hashlib.sha256(" ".join((*files, data_md5)).encode()).hexdigest()


def identity(number: int, candidate: str) -> str:
    """Name the version that holds the candidate of this sha256.

    The counter shows people the order; the digits tell what it is, and make two pushes of one candidate meet.
    """
    return f"{number:04d}-{candidate[:DIGITS]}"


def number(version: str) -> int:
    """Place of a version in the order of storing, from 1 on."""
    return int(version.partition("-")[0])


def following(versions: list[Version], candidate: str) -> str:
    """Name the version that comes after `versions`, oldest first."""
    return identity(number(versions[-1].id) + 1 if versions else 1, candidate)


def known(versions: Sequence[Version], name: str, version: str) -> Version:
    """Find `version` among those of model `name`. Raises `InputError` where it is none of them."""
    for found in versions:
        if found.id == version:
            return found
    stored = ", ".join(found.id for found in versions) or "none"
    raise InputError(f"version {version} of {name}: expected one that is stored: {stored}.", "ferflow models list")
