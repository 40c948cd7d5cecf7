"""`ferflow serve`: the server of a stored version, at the desk."""

import logging
import sys
from pathlib import Path

from pydantic import ValidationError

from components.fer.errors import UsageError
from components.serve import serve as server
from components.serve import versions
from components.serve.config import Config
from pipeline.models.place import Place


def main(place: Place, version: str | None, host: str, port: int, observations: Path | None) -> None:
    """Answer with a version of the model at `place` (none: the champion) until Ctrl-C or SIGTERM.

    Raises `UsageError` for a port that is none, and what `components.serve.serve.answer` raises.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    try:
        config = Config(host=host, port=port, observations=observations)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--{first['loc'][0]} {first['input']}: {first['msg']}.") from error
    server.answer(versions.in_store(place.store, place.name, version or ""), config)
