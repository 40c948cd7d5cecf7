"""How versions are named: 0003-1a2b3c4d is the third one, and its candidate's sha256 begins with 1a2b3c4d."""

from dataclasses import dataclass

DIGITS = 8
"""Digits of a candidate's sha256 in the name of its version."""


@dataclass(frozen=True)
class Version:
    """One stored version."""

    id: str
    """0003-1a2b3c4d"""
    address: str
    """where its files are: a folder, or gs://BUCKET/..."""


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
