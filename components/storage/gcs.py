"""Google Cloud Storage: its client, its retries, and what its faults come to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from components.fer.errors import InputError, TemporaryError

PATIENCE = 120.0
"""Seconds for which one call is repeated while the network or the service fails."""

CREDENTIALS = (
    "At a desk: gcloud auth application-default login. In a cluster: give the pod's service account the role "
    "Storage Object User on the bucket."
)


def client() -> Any:
    """Make a client with the credentials of the surroundings, of no project: a bucket's name says all.

    It does not ask for the bucket's own metadata, as it would for traces that we do not write: a thread of its own
    asks, goes on for two minutes behind a server that is gone, and is refused where an account may read objects alone.
    """
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    return storage.Client(project=None)


def retry() -> Any:
    """Google's own policy: faults of the network, 408, 429 and 5xx are tried again after growing random pauses."""
    return DEFAULT_RETRY.with_timeout(PATIENCE)


@contextmanager
def faults(subject: str) -> Iterator[None]:
    """Raise `TemporaryError` for faults that may pass, `InputError` for those that will not; both name the subject."""
    try:
        yield
    except auth.DefaultCredentialsError as error:
        raise InputError(f"{subject}: no Google credentials found.", CREDENTIALS) from error
    except (api.Unauthorized, api.Forbidden) as error:
        raise InputError(f"{subject}: {_said(error)}.", CREDENTIALS) from error
    except (api.NotFound, api.BadRequest) as error:
        raise InputError(
            f"{subject}: {_said(error)}.", "Make the bucket, or give the address of one that is there."
        ) from error
    except (api.GoogleAPIError, auth.GoogleAuthError, DataCorruption, requests.RequestException) as error:
        raise TemporaryError(f"{subject}: {_said(error)}.", "Run the same command again.") from error


def _said(error: BaseException) -> str:
    """What the service answered, or what happened instead, in one line."""
    cause = (isinstance(error, api.RetryError) and error.cause) or error
    if isinstance(cause, DataCorruption):
        return "what arrived is not what was sent (its checksum differs)"
    response = getattr(cause, "response", None)
    if response is None:
        return (str(cause).strip() or type(cause).__name__).partition("\n")[0].rstrip(".")
    try:
        text = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        text = response.reason
    return f"{response.status_code} {text}".rstrip(". ")
