"""params.yaml: the only place with values.

A parameter `section: {key: value}` is `section.key` to DVC and `section__key` to Kubeflow, whose names have no dots.
Its type and its range are those of the field `key` of the stages' configurations. Two entries are no parameters:
`graph: NAME` says which graph they are for (hybrid where it is absent), `schedule:` when it runs by itself.
"""

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from components.evaluate.config import Config as Evaluate
from components.fer.errors import InputError
from components.fer.stage import StageConfig
from components.preprocess.config import Config as Preprocess
from components.push_model.config import Config as PushModel
from components.resolve.config import Config as Resolve
from components.tfx_check.config import Config as TfxCheck
from components.train_backbone.config import Config as TrainBackbone
from components.train_hybrid.config import Config as TrainHybrid
from components.validate.config import Config as Validate

Scalar = bool | int | float | str
Parameters = Mapping[str, Scalar]
"""Values by Kubeflow name, `section__key`."""

STAGES: tuple[type[StageConfig], ...] = (
    Validate,
    Preprocess,
    TrainBackbone,
    TrainHybrid,
    Evaluate,
    PushModel,
    Resolve,
    TfxCheck,
)

SEPARATOR = "__"

GRAPH, SCHEDULE = "graph", "schedule"


class Sections:
    """Gives the parameters of sections as keyword arguments and remembers which were asked for."""

    def __init__(self, values: Mapping[str, Any], used: set[str] | None = None) -> None:
        self._values = values
        self._used: set[str] = set() if used is None else used

    def __call__(self, *sections: str) -> dict[str, Any]:
        """The values of all keys of `sections`, without the sections' names."""
        names = {name: name.partition(SEPARATOR) for name in self._values}
        chosen = {name: key for name, (section, _, key) in names.items() if section in sections}
        self._used.update(chosen)
        return {key: self._values[name] for name, key in chosen.items()}

    def having(self, more: Mapping[str, Any]) -> "Sections":
        """These parameters and `more`, by Kubeflow name; what is asked of them is asked of these too."""
        return Sections({**self._values, **more}, self._used)

    def starting(self, prefix: str) -> list[str]:
        """The sections whose names begin with `prefix`, in their order."""
        sections = dict.fromkeys(name.partition(SEPARATOR)[0] for name in self._values)
        return [section for section in sections if section.startswith(prefix)]

    @property
    def unused(self) -> list[str]:
        """Names of the parameters that no call has given."""
        return [name for name in self._values if name not in self._used]


def read(path: Path) -> Parameters:
    """Read params.yaml. Raises `InputError` for unknown keys, and for values that no stage would take."""
    return {
        f"{section}{SEPARATOR}{key}": checked(f"parameters {path}: {section}.{key}", key, value)
        for section, keys in document(path).items()
        if section not in (GRAPH, SCHEDULE)
        for key, value in keys.items()
    }


def graph(path: Path) -> str:
    """Name of the graph that the parameters are for."""
    return str(document(path).get(GRAPH, "hybrid"))


def document(path: Path) -> dict[str, Any]:
    """What a params.yaml holds. Raises `InputError` where it is absent, or is not sections of `key: value` lines."""
    try:
        found = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    except FileNotFoundError as error:
        raise InputError(f"parameters {path}: expected a file, found none.", "git checkout params.yaml") from error
    except yaml.YAMLError as error:
        raise InputError(f"parameters {path}: expected YAML. {error}") from error
    if not isinstance(found, dict) or not all(name == GRAPH or isinstance(keys, dict) for name, keys in found.items()):
        raise InputError(f"parameters {path}: expected sections of `key: value` lines.")
    return found


def dotted(name: str) -> str:
    """The name of a parameter in params.yaml and in DVC: `training__seed` is `training.seed`."""
    return name.replace(SEPARATOR, ".", 1)


def replaced(values: Parameters, changes: Mapping[str, Any], where: str) -> Parameters:
    """`values` with those of `changes`, by dotted name, in their place; text counts as what it spells.

    Raises `InputError`, which begins with `where`, for a name that is none of `values`, and for a value that no stage
    would take.
    """
    found = dict(values)
    for name, value in changes.items():
        kubeflow = name.replace(".", SEPARATOR, 1)
        if kubeflow not in values:
            near = difflib.get_close_matches(name, [dotted(known) for known in values], 1)
            mend = f"Did you mean {near[0]}?" if near else "params.yaml has all of them."
            raise InputError(f"{where}: {name}: this graph has no such parameter.", mend)
        if isinstance(values[kubeflow], bool) and value in ("true", "false"):
            value = value == "true"
        found[kubeflow] = checked(f"{where}: {name}", kubeflow.partition(SEPARATOR)[2], value)
    return found


def checked(where: str, key: str, value: Any) -> Scalar:
    """The value of a parameter as the stages' type (1 becomes 1.0 where they take a float).

    Raises `InputError`, which begins with `where`, for an unknown key and for a value that no stage would take.
    """
    fields = _fields(key)
    if not fields:
        near = difflib.get_close_matches(key, {name for stage in STAGES for name in stage.parameters()}, 1)
        raise InputError(f"{where}: no stage has such a parameter.", f"Did you mean {near[0]}?" if near else "")
    try:
        for field, adapter in fields:
            if isinstance(value, bool) != (field.annotation is bool):  # to pydantic, True is also the number 1
                raise InputError(f"{where}: {field.description}. Received: {value!r}")
            value = adapter.validate_python(value)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InputError(f"{where}: {field.description}. {fault['msg']}. Received: {fault['input']!r}") from error
    scalar: Scalar = value
    return scalar


@cache  # all jobs have the same keys, and an adapter takes a millisecond to make
def _fields(key: str) -> list[tuple[FieldInfo, TypeAdapter[Any]]]:
    """The fields of the stages that a key of params.yaml sets, each with what checks a value."""
    fields = [field for stage in STAGES for name, field in stage.parameters().items() if name == key]
    return [(field, _adapter(field)) for field in fields]


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated)
