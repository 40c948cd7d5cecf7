"""What git has holds no key and no token."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|\bAIza[\w-]{35}\b"  # Google's API keys
    rb"|\bya29\.[\w-]{20}"  # its access tokens
    rb"|\bAKIA[0-9A-Z]{16}\b"  # Amazon's keys
    rb"|\bgh[pousr]_\w{36}\b"  # GitHub's tokens
    rb"|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\."  # Kubernetes' and others' signed tokens
)


def test_no_file_has_one() -> None:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in names.splitlines()]
    assert [str(path) for path in files if path.is_file() and SECRET.search(path.read_bytes())] == []


@pytest.mark.parametrize(
    "secret",
    [
        b"-----BEGIN RSA " + b"PRIVATE KEY-----",
        b"key=AI" + b"za" + b"x" * 35,
        b"AKIA" + b"Z" * 16,
        b"ghp_" + b"a" * 36,
        b"eyJ" + b"h" * 30 + b".eyJ" + b"p" * 30 + b".s",
    ],
)
def test_one_would_be_found(secret: bytes) -> None:
    assert SECRET.search(b"token: " + secret)
