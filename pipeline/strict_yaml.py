"""YAML files of settings, read into strict models; the first fault is named by its place in the file."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from components.fer.errors import InputError


class Entry(BaseModel):
    """Base of the models: no unknown key, no type that is only nearly right."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Entry)


def read(model: type[Model], path: Path, what: str) -> Model:
    """Read the file at `path`, which is git's, into `model`. Raises `InputError`, which begins with `what`."""
    try:
        document = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    except FileNotFoundError as error:
        mend = f"git checkout {path.parent.name}/{path.name}"
        raise InputError(f"{what} {path}: expected a file, found none.", mend) from error
    except yaml.YAMLError as error:
        raise InputError(f"{what} {path}: expected YAML. {error}") from error
    return checked(model, document, f"{what} {path}")


def checked(model: type[Model], document: Any, where: str, mend: str = "") -> Model:
    """`document` as `model`. Raises `InputError`, which begins with `where`, for the first fault."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InputError(f"{where}: {_fault(error)}", mend) from error


def _fault(error: ValidationError) -> str:
    """The first thing that is wrong, with its place: key by key, as in the file."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "the file"
    match fault["type"]:
        case "missing":
            return f"{where}: expected a value, found none."
        case "extra_forbidden":
            return f"{where}: expected no such key. Received: {fault['input']!r}"
        case "value_error":
            return f"{where}: {fault['ctx']['error']}"
    return f"{where}: expected {fault['msg'].removeprefix('Input should be ')}. Received: {fault['input']!r}"
