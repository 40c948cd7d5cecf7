"""The graphs, each written once; pipeline.yaml (Kubeflow) and dvc.yaml (DVC) are generated from them.

validate --> preprocess --+--> train-backbone-a --+
                          |                       +--> train-hybrid --> evaluate --> push-model
                          +--> train-backbone-b --+
"""

from collections.abc import Callable

from components.evaluate.component import evaluate
from components.preprocess.component import preprocess
from components.push_model.component import push_model
from components.train_backbone.component import train_backbone
from components.train_hybrid.component import train_hybrid
from components.validate.component import validate
from pipeline.parameters import Sections

Graph = Callable[[Sections], None]
"""Builds the tasks of a pipeline. `values("training", "hybrid")` gives the parameters of these sections by name."""


def hybrid(values: Sections) -> None:
    """Train two backbones and the hybrid that starts from their weights, evaluate it, and push it to the registry."""
    data = validate(**values("data", "validate")).outputs
    faces = {name: data[name] for name in ("faces_npz", "masks_npz")}
    prepared = preprocess(**faces, **values("preprocess")).outputs["prepared_pickle"]
    first = train_backbone(data=prepared, **values("training", "backbone_a"))
    second = train_backbone(data=prepared, **values("training", "backbone_b"))
    trained = train_hybrid(
        data=prepared,
        first_keras=first.outputs["model_keras"],
        second_keras=second.outputs["model_keras"],
        **values("training", "hybrid"),
    ).outputs
    measured = evaluate(
        data=prepared,
        masks_npz=data["masks_npz"],
        audit_json=data["audit_json"],
        model_keras=trained["model_keras"],
        first_history_csv=first.outputs["history_csv"],
        second_history_csv=second.outputs["history_csv"],
        hybrid_history_csv=trained["history_csv"],
        **values("evaluate"),
    ).outputs
    push = push_model(
        data=prepared,
        model_keras=trained["model_keras"],
        metrics_json=measured["metrics_json"],
        predictions_npz=measured["predictions_npz"],
        audit_json=data["audit_json"],
        **values("registry"),
    )
    first.set_display_name("train-backbone-a")
    second.set_display_name("train-backbone-b")
    push.set_caching_options(False)  # it reads and writes the model store, which no cache key knows


GRAPHS: dict[str, Graph] = {"hybrid": hybrid}
