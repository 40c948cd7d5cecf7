"""The manifests of the served model and of its alarms say what its server takes and counts."""

import json
import re

import pytest
import yaml

from components.fer import stage
from components.serve.config import Config
from components.serve.limits import Limits
from components.serve.metrics import Metrics
from tests.infra.test_manifests import MONITORING, of_kind, rendered


def filled(arguments: list[str], values: dict[str, str]) -> list[str]:
    """Arguments as Kubernetes fills them in."""
    return [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], word) for word in arguments]


@pytest.mark.parametrize("overlay", ["gke", "generic"])
def test_the_server_takes_its_arguments(overlay: str) -> None:
    """Those of the manifest with the values that Kubernetes puts in: a version, and none at the first start."""
    objects = rendered(overlay)
    (container,) = of_kind(objects, "Pod")["ferflow-predictor"]["spec"]["containers"]
    places = of_kind(objects, "ConfigMap")["ferflow-places"]["data"]
    assert container["command"] == ["python", "-m", "components.serve"]
    for version in ("", "0003-1a2b3c4d"):
        words = filled(container["args"], {**places, "VERSION": version})
        taken = stage.parse(Config, words)
        assert (taken.store, taken.name, taken.version) == (places["MODEL_STORE"], "fer-hybrid", version)
        assert (taken.host, taken.port) == ("0.0.0.0", container["ports"][0]["containerPort"])


def test_a_pod_has_time_to_end_its_answers() -> None:
    spec = of_kind(rendered("gke"), "Pod")["ferflow-predictor"]["spec"]
    bounds = Limits()
    assert spec["terminationGracePeriodSeconds"] > bounds.drain_seconds + bounds.grace_seconds


def queries() -> dict[str, str]:
    """Every query of the alarms and of the dashboard, by its title."""
    rules = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    return {
        **{rule["alert"]: rule["expr"] for group in rules["spec"]["groups"] for rule in group["rules"]},
        **{
            f"{panel['title']} {index}": target["expr"]
            for panel in dashboard["panels"]
            for index, target in enumerate(panel.get("targets", []))
        },
    }


def test_what_is_asked_of_the_server_is_what_it_counts() -> None:
    """Each figure of an alarm or of the dashboard by its name, with labels that it has."""
    counts = Metrics("fer-hybrid", "0001-00000000", "0" * 32, 7)
    counts.requests.labels("v2", "200").inc()
    counts.seconds.labels("v2").observe(0.1)
    counts.errors.labels("json").inc()
    text = counts.text().decode()
    counted: dict[str, set[str]] = {}
    for line in text.splitlines():
        if found := re.match(r"([a-z_]+)(?:\{(.*)\})? ", line):
            counted.setdefault(found[1], set()).update(re.findall(r'(\w+)="', found[2] or ""))
    from_scraping = {"namespace", "pod", "container"}
    for title, query in queries().items():
        for name, labels in re.findall(r"((?:ferflow|process)_[a-z_]+)(?:\{([^}]*)\})?", query):
            assert name in counted, title
            assert set(re.findall(r"(\w+)(?:=~|!=|=)", labels)) <= counted[name] | from_scraping, title
