"""Files at an address that DVC can read: a path, https://, gs:// or s3://, by DVC's own file systems.

These repeat a call that fails by a fault of the network or the service, with growing random pauses, for half a minute.
Endpoints and credentials are found as Google's and Amazon's libraries find them (STORAGE_EMULATOR_HOST and
AWS_ENDPOINT_URL among them).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import NoCredentialsError, PartialCredentialsError
from dvc.exceptions import DvcException
from dvc.fs import parse_external_url

from components.fer.errors import FerflowError, InputError, TemporaryError

CREDENTIALS = {
    "gs": "At a desk: gcloud auth application-default login. In a cluster: give the pod's service account the role "
    "Storage Object Viewer on the bucket.",
    "s3": "At a desk: aws configure. In a cluster: give the pod's service account a role that may read the bucket.",
}

LASTING = {400, 401, 403}
"""HTTP statuses that a later try would get again; that nothing is there (404) is told apart."""


def file_system(address: str) -> tuple[Any, str]:
    """Give DVC's file system for `address`, and the path that the address is in it."""
    for library in ("gcsfs", "google.auth", "botocore", "aiobotocore"):  # they log what they then raise, and more
        logging.getLogger(library).setLevel(logging.CRITICAL)
    found: tuple[Any, str] = parse_external_url(address)
    return found


@contextmanager
def faults(subject: str, address: str, missing: InputError) -> Iterator[None]:
    """Raise `missing` where nothing is there, `InputError` for other lasting faults, `TemporaryError` for the rest."""
    try:
        yield
    except FerflowError:
        raise
    except FileNotFoundError as error:
        raise missing from error
    except (NoCredentialsError, PartialCredentialsError, DvcException) as error:
        raise InputError(f"{subject}: {_said(error)}.", _mend(address)) from error
    except Exception as error:  # each library below has exceptions of its own
        if _status(error) in LASTING:
            raise InputError(f"{subject}: {_said(error)}.", _mend(address)) from error
        raise TemporaryError(f"{subject}: {_said(error)}.", "Run the same command again.") from error


def _mend(address: str) -> str:
    return CREDENTIALS.get(address.partition("://")[0], "Correct the address, or its permissions.")


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error, as far as its library tells it."""
    if isinstance(error, PermissionError) or str(error).startswith("Forbidden"):  # s3fs; gcsfs
        return 403
    answer = getattr(error.__cause__, "response", {})  # s3fs, around botocore's error
    known = getattr(error, "code", None) or getattr(error, "status", None)  # gcsfs; aiohttp
    status = known or answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status else None


def _said(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).replace("\n", ": ").rstrip(".")
