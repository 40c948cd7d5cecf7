"""params.yaml: the only place with values.

A parameter `section: {key: value}` is `section.key` to DVC and `section__key` to Kubeflow, whose names have no dots.
Its type and its range are those of the field `key` of the stages' configurations.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import TypeAdapter, ValidationError

from components.evaluate.config import Config as Evaluate
from components.fer.errors import InputError
from components.fer.stage import StageConfig
from components.preprocess.config import Config as Preprocess
from components.push_model.config import Config as PushModel
from components.train_backbone.config import Config as TrainBackbone
from components.train_hybrid.config import Config as TrainHybrid
from components.validate.config import Config as Validate

Scalar = bool | int | float | str
Parameters = Mapping[str, Scalar]
"""Values by Kubeflow name, `section__key`."""

STAGES: tuple[type[StageConfig], ...] = (Validate, Preprocess, TrainBackbone, TrainHybrid, Evaluate, PushModel)

SEPARATOR = "__"


class Sections:
    """Gives the parameters of sections as keyword arguments and remembers which were asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._used: set[str] = set()

    def __call__(self, *sections: str) -> dict[str, Any]:
        """The values of all keys of `sections`, without the sections' names."""
        names = {name: name.partition(SEPARATOR) for name in self._values}
        chosen = {name: key for name, (section, _, key) in names.items() if section in sections}
        self._used |= chosen.keys()
        return {key: self._values[name] for name, key in chosen.items()}

    @property
    def unused(self) -> list[str]:
        """Names of the parameters that no call has given."""
        return [name for name in self._values if name not in self._used]


def read(path: Path) -> Parameters:
    """Read params.yaml. Raises `InputError` for unknown keys, and for values that no stage would take."""
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"parameters {path}: expected a file, found none.", "git checkout params.yaml") from error
    except yaml.YAMLError as error:
        raise InputError(f"parameters {path}: expected YAML. {error}") from error
    if not isinstance(document, dict) or not all(isinstance(keys, dict) for keys in document.values()):
        raise InputError(f"parameters {path}: expected sections of `key: value` lines.")
    return {
        f"{section}{SEPARATOR}{key}": _checked(f"parameters {path}: {section}.{key}", key, value)
        for section, keys in document.items()
        for key, value in keys.items()
    }


def dotted(name: str) -> str:
    """The name of a parameter in params.yaml and in DVC: `training__seed` is `training.seed`."""
    return name.replace(SEPARATOR, ".", 1)


def _checked(where: str, key: str, value: Any) -> Scalar:
    """The value as the stages' type (1 becomes 1.0 where they take a float)."""
    fields = [field for stage in STAGES for name, field in stage.parameters().items() if name == key]
    if not fields:
        near = difflib.get_close_matches(key, {name for stage in STAGES for name in stage.parameters()}, 1)
        raise InputError(f"{where}: no stage has such a parameter.", f"Did you mean {near[0]}?" if near else "")
    try:
        for field in fields:
            if isinstance(value, bool) != (field.annotation is bool):  # to pydantic, True is also the number 1
                raise InputError(f"{where}: {field.description}. Received: {value!r}")
            annotated: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            value = TypeAdapter(annotated).validate_python(value)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InputError(f"{where}: {field.description}. {fault['msg']}. Received: {fault['input']!r}") from error
    checked: Scalar = value
    return checked
