"""What differs between the run that may follow and the run that made a stored version; without files or clocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.model_store.provenance import Provenance

NOT_COMPARED = ("data__path", "data__md5", "training__checkpoints", "registry__", "schedule__")
"""How parameters begin that say where things are, not what a model is; the data's md5 is compared by itself."""

NO_MODEL = "resolve"
"""The component whose image has no part in a model."""


@dataclass(frozen=True)
class Origin:
    """What decides a model."""

    data_md5: str
    made: Provenance | None
    """none for a version that was pushed at a desk: its parameters are not known"""


def differences(now: Origin, then: Origin) -> list[str]:
    """Name each thing that differs between two origins, in words; nothing for what would be the same model again."""
    return [*_data(now, then), *_made(now.made, then.made)]


def _data(now: Origin, then: Origin) -> Iterator[str]:
    if now.data_md5 != then.data_md5:
        yield f"data: md5 {now.data_md5}, was {then.data_md5}"


def _made(now: Provenance | None, then: Provenance | None) -> Iterator[str]:
    if now is None or then is None:
        yield "code and parameters: not known, for one of the two runs was not submitted"
        return
    yield from _changes("parameter", _dotted(now.parameters), _dotted(then.parameters))
    if now.images or then.images:  # they hold the code, so that the commit says no more
        yield from _changes("image", _of_models(now.images), _of_models(then.images))
    elif now.dirty or then.dirty or now.commit != then.commit:
        yield f"commit: {_commit(now)}, was {_commit(then)}"


def _changes(what: str, now: Mapping[str, object], then: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(now.keys() | then.keys()):
        if name not in then:
            yield f"{what} {name}: {now[name]}, was not there"
        elif name not in now:
            yield f"{what} {name}: not there, was {then[name]}"
        elif now[name] != then[name]:
            yield f"{what} {name}: {now[name]}, was {then[name]}"


def _dotted(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters that decide a model, by their names in params.yaml."""
    return {
        name.replace("__", ".", 1): value for name, value in parameters.items() if not name.startswith(NOT_COMPARED)
    }


def _of_models(images: Mapping[str, str]) -> dict[str, str]:
    return {name: image for name, image in images.items() if name != NO_MODEL}


def _commit(made: Provenance) -> str:
    return f"{made.commit or 'none'}{' with changes' if made.dirty else ''}"
