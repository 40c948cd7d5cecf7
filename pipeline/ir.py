"""A compiled pipeline (KFP's intermediate representation) read strictly: its tasks with all that is said of each.

Strictly means with KFP's own protobuf messages, which refuse a field that they do not have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from components.fer.errors import InputError
from pipeline import placement

Document = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A task of the compiled graph, with all that the two documents say of it."""

    name: str
    spec: Any
    """PipelineTaskSpec"""
    container: Any
    """PipelineContainerSpec"""
    kubernetes: Any
    """KubernetesExecutorConfig"""
    values: Mapping[str, Any]
    """values of the input parameters, by the pipeline's defaults; those that only a run knows are absent"""
    in_loop: bool
    pools: Mapping[str, placement.Pool]

    @property
    def component(self) -> str:
        """Name of the component, by its argv."""
        return placement.component(self.container.command[-1]) if self.container.command else ""

    @property
    def pool(self) -> placement.Pool | None:
        """The pool whose selector the task has."""
        labels = dict(self.kubernetes.node_selector.labels)
        return next((pool for pool in self.pools.values() if pool.selector == labels), None)


def documents(text: str) -> tuple[Document, Document]:
    """The two documents of a compiled pipeline: the pipeline specification and the platform specification."""
    found = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    if len(found) != 2:
        raise InputError(f"compiled pipeline: expected two YAML documents, found {len(found)}.", "ferflow compile")
    return found[0], found[1]


def tasks(pipeline: Document, platform: Document, pools: Mapping[str, placement.Pool]) -> Iterator[Task]:
    """The tasks of a compiled pipeline. Raises `InputError` where a document has what KFP's messages have not."""
    spec = _message(pipeline, ir.PipelineSpec(), "pipeline specification")
    deployment = _message(pipeline["deploymentSpec"], ir.PipelineDeploymentConfig(), "deployment specification")
    _message(platform, ir.PlatformSpec(), "platform specification")
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    configs = {label: _message(entry, KubernetesExecutorConfig(), label) for label, entry in placed.items()}

    def walk(group: Any, known: Mapping[str, Any], in_loop: bool) -> Iterator[Task]:
        for key, task in sorted(group.dag.tasks.items(), key=itemgetter(0)):
            component = spec.components[task.component_ref.name]
            values = dict(_values(task, component, known))
            if component.HasField("dag"):
                yield from walk(component, values, in_loop or task.WhichOneof("iterator") is not None)
            else:
                name, label = task.task_info.name or key, component.executor_label
                config = configs.get(label, KubernetesExecutorConfig())
                yield Task(name, task, deployment.executors[label].container, config, values, in_loop, pools)

    inputs = spec.root.input_definitions.parameters
    defaults = {
        name: _typed(entry.default_value, entry) for name, entry in inputs.items() if entry.HasField("default_value")
    }
    yield from walk(spec.root, defaults, in_loop=False)


def _message(document: Any, message: Any, what: str) -> Any:
    try:
        return json_format.ParseDict(document, message)
    except json_format.ParseError as error:
        raise InputError(f"compiled pipeline, {what}: {error}", "ferflow compile") from error


def _values(task: Any, component: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and value of each input parameter that does not wait for a run."""
    for name, source in task.inputs.parameters.items():
        match source.WhichOneof("kind"):
            case "component_input_parameter" if source.component_input_parameter in known:
                yield name, known[source.component_input_parameter]
            case "runtime_value":
                yield name, _typed(source.runtime_value.constant, component.input_definitions.parameters[name])


def _typed(value: Any, parameter: Any) -> Any:
    """A protobuf value, whose numbers are all floats, in the parameter's type."""
    plain = json_format.MessageToDict(value)
    return int(plain) if parameter.parameter_type == ir.ParameterType.NUMBER_INTEGER else plain
