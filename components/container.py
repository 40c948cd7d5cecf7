"""From a stage's configuration to its KFP component: the fields are the interface, the argv is the contract."""

import inspect
from collections.abc import Collection
from importlib.metadata import version
from typing import Any, Literal, get_origin

from kfp import dsl
from kfp.dsl.container_component_class import ContainerComponent

from components.fer.executor import OPTION
from components.fer.stage import Input, Output, StageConfig

IMAGE = "ferflow-{stage}:{version}"
"""Name of an image before it is pushed; a pushed one is named by its digest (infra/images.lock.json)."""


def container_component(config: type[StageConfig], *, having: Collection[str] = ()) -> ContainerComponent:
    """Make the component that runs `python -m components.STAGE --field value ...` for each field of `config`.

    Fields marked `Input` or `Output` become artifacts of that type, given by path, a `String` output a parameter; all
    others become parameters of their own type (choices become strings). Values have no defaults here: they come from
    params.yaml alone. Of the inputs that the stage can do without, the component has those named by `having`: a graph
    that gives one, and a graph that does not, use two components of one stage, for not every back end knows optional
    artifacts.
    """
    package = config.__module__.removesuffix(".config")
    stage = package.rpartition(".")[2]
    inputs, outputs = config.marked(Input), config.marked(Output)
    fields = config.model_fields
    names = [name for name in fields if name not in inputs or fields[name].is_required() or name in having]

    def annotation(name: str) -> Any:
        if name in inputs:
            return dsl.Input[getattr(dsl, inputs[name])]
        if name in outputs:
            return dsl.OutputPath(str) if outputs[name] == "String" else dsl.Output[getattr(dsl, outputs[name])]
        field_type = fields[name].annotation
        return str if get_origin(field_type) is Literal else field_type

    def container(*arguments: Any) -> dsl.ContainerSpec:
        argv: list[Any] = []
        for name, value in zip(names, arguments, strict=True):
            is_artifact = name in inputs or outputs.get(name, "String") != "String"
            argv += [flag(name), value.path if is_artifact else value]
        argv += [OPTION, dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]
        image = IMAGE.format(stage=stage.replace("_", "-"), version=version("ferflow"))
        return dsl.ContainerSpec(image=image, command=["python", "-m", package], args=argv)

    # KFP reads name, signature and docstring of a function as the interface of the component.
    container.__name__ = stage
    container.__doc__ = _docstring(config)
    container.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation(name))
            for name in names
        ],
        return_annotation=dsl.ContainerSpec,
    )
    component: ContainerComponent = dsl.container_component(container)
    return component


def flag(name: str) -> str:
    """The option that carries a field in argv."""
    return f"--{name.replace('_', '-')}"


def _docstring(config: type[StageConfig]) -> str:
    fields = (f"    {name}: {field.description}" for name, field in config.model_fields.items())
    return f"{config.__doc__}\n\nArgs:\n" + "\n".join(fields)
