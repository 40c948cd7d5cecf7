"""Serve a version: open it, whole or not at all, load it, and answer until told to stop."""

from contextlib import AbstractContextManager
from pathlib import Path

from components.fer.errors import UsageError
from components.serve import observations, versions
from components.serve.application import Remember
from components.serve.config import Config
from components.serve.finder import Finder
from components.serve.model import Model, Probabilities
from components.serve.server import bind, run
from components.serve.tensors import Images
from components.serve.versions import Opened


def serve(config: Config) -> None:
    """Answer with the version that `config` names until SIGTERM or Ctrl-C.

    Raises `UsageError` or `InputError` where there is no such version, it is not whole, or the port is in use.
    """
    answer(versions.opened(config), config)


def answer(version: AbstractContextManager[Opened], config: Config) -> None:
    """Answer with `version`, at the address of `config`; raises as `serve` does."""
    # The port first: whether it is free is known at once. Nobody is let in before the model is loaded.
    with bind(config.host, config.port) as taken, version as opened:
        if config.observations is not None and "-" not in opened.version:
            raise UsageError("--observations with --model: expected --version, by which ferflow monitor finds it.")
        from components.serve import runtime  # the model's library loads here

        light = runtime.Runtime(opened.light)
        remember = remembers(config.observations, opened.version)
        with Finder(config.limits.photo_seconds) as finder:
            model = Model(
                opened.name,
                opened.version,
                opened.lineage.data_md5,
                light.probabilities,
                finder.face,
                light.expressions,
            )
            run(model, taken, config.limits, remember)


def remembers(folder: Path | None, version: str) -> Remember | None:
    """Make what notes the answers of `version` in a folder. Raises `InputError` where it cannot be written."""
    if folder is None:
        return None
    notes = observations.Log(folder)

    def remember(images: Images, probabilities: Probabilities) -> None:
        notes.append(observations.of(images, probabilities, version))

    return remember
