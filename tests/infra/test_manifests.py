"""What the rendered overlays say, beyond what a schema can check."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.check import manifests
from infra.check.program import REPOSITORY, MissingError, find
from pipeline import parameters
from pipeline.jobs import jobs
from pipeline.placement import Table

FOLDER = REPOSITORY / "infra" / "kubernetes"
OVERLAYS = manifests.overlays(REPOSITORY)
MONITORING = FOLDER / "components" / "monitoring"

RENDERED: dict[str, list[manifests.Object]] = {}


@pytest.fixture(params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[manifests.Object]:
    """The objects of an overlay."""
    return rendered(request.param)


def rendered(overlay: str) -> list[manifests.Object]:
    if overlay not in RENDERED:
        try:
            RENDERED[overlay] = manifests.rendered(REPOSITORY, overlay)
        except MissingError as error:
            pytest.skip(str(error))
    return RENDERED[overlay]


def of_kind(objects: list[manifests.Object], kind: str) -> dict[str, manifests.Object]:
    return {entry["metadata"]["name"]: entry for entry in objects if entry["kind"] == kind}


def templates(objects: list[manifests.Object]) -> Iterator[tuple[Any, Any]]:
    """Labels and specification of every pod that the objects make."""
    for entry in objects:
        if entry["kind"] == "Pod":
            yield entry["metadata"]["labels"], entry["spec"]
        elif entry["kind"] == "Deployment":
            template = entry["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]
        elif entry["kind"] == "CronJob":
            template = entry["spec"]["jobTemplate"]["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]


def test_the_overlays_are_those_of_the_readme() -> None:
    assert OVERLAYS == ["generic", "gke", "local"]


def test_all_is_in_the_namespace_of_the_runs(objects: list[manifests.Object]) -> None:
    everywhere = {
        "Namespace",
        "PriorityClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    }
    for entry in objects:
        if entry["kind"] not in everywhere:
            assert entry["metadata"]["namespace"] == "ferflow", entry["metadata"]["name"]


def test_every_pod_meets_restricted_on_the_pool_that_it_counts_towards(objects: list[manifests.Object]) -> None:
    (namespace,) = of_kind(objects, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pools = Table.read().pools
    for labels, spec in templates(objects):
        pool = labels["ferflow/pool"]
        assert spec["nodeSelector"] == pools[pool].selector
        assert spec["priorityClassName"] == f"ferflow-{pool}"
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"].keys() == container["resources"]["requests"].keys()


def test_nothing_goes_in_or_out_unless_a_policy_says_so(objects: list[manifests.Object]) -> None:
    policies = of_kind(objects, "NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"], name  # an empty one would let in everybody
        for rule in policy["spec"].get("egress", []):
            assert rule["to"], name
            assert rule["ports"], name


def test_the_nodes_identity_is_out_of_reach(objects: list[manifests.Object]) -> None:
    """The machine's metadata: on Google Cloud the two addresses by which a pod gets its own account's token alone."""
    allowed = [
        block["ipBlock"]
        for policy in of_kind(objects, "NetworkPolicy").values()
        for rule in policy["spec"].get("egress", [])
        for block in rule["to"]
        if "ipBlock" in block
    ]
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in allowed
    narrow = {block["cidr"] for block in allowed} - {"0.0.0.0/0"}
    assert narrow <= {"169.254.169.254/32", "169.254.169.252/32", "169.254.20.10/32"}


def test_no_account_has_more_rights_than_it_needs(objects: list[manifests.Object]) -> None:
    assert not of_kind(objects, "ClusterRole")
    assert not of_kind(objects, "ClusterRoleBinding")
    for role in of_kind(objects, "Role").values():
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            if "secrets" in rule["resources"]:
                assert rule["resourceNames"] == ["mlpipeline-minio-artifact"]
    for name, account in of_kind(objects, "ServiceAccount").items():
        if name in ("default", "ferflow-serve", "ferflow-mlflow", "ferflow-schedule"):
            assert account["automountServiceAccountToken"] is False


def test_no_secret_stands_in_a_manifest(objects: list[manifests.Object]) -> None:
    assert not of_kind(objects, "Secret")
    text = yaml.safe_dump_all(objects)
    assert not re.search(r"PRIVATE KEY|AIza[\w-]{30}|ghp_\w{30}|\"private_key\"|password:\s*\S", text)


def test_the_network_of_a_run_reaches_what_its_labels_say(objects: list[manifests.Object]) -> None:
    """push-model alone reaches MLflow, whose address is that of Terraform's settings."""
    policies = of_kind(objects, "NetworkPolicy")
    source = policies["mlflow"]["spec"]["ingress"][0]["from"]
    assert source == [{"podSelector": {"matchLabels": {"ferflow/component": "push-model"}}}]
    service = of_kind(objects, "Service")["mlflow"]
    main = (REPOSITORY / "infra" / "terraform" / "main.tf").read_text()
    assert f"http://mlflow.${{local.namespace}}:{service['spec']['ports'][0]['port']}" in main
    assert f'namespace = "{service["metadata"]["namespace"]}"' in main


def test_the_served_model_is_that_of_the_main_job() -> None:
    values = parameters.read(jobs()["main"].folder / "params.yaml")
    for overlay in ("gke", "generic"):
        assert (
            of_kind(rendered(overlay), "ConfigMap")["ferflow-places"]["data"]["MODEL_NAME"] == values["registry__name"]
        )


def test_managed_prometheus_has_the_same_alarms() -> None:
    own, managed = rendered("generic"), rendered("gke")
    rules = of_kind(own, "PrometheusRule")["ferflow"]["spec"]
    assert of_kind(managed, "Rules")["ferflow"]["spec"] == rules
    (endpoint,) = of_kind(managed, "PodMonitoring")["ferflow"]["spec"]["endpoints"]
    (container,) = of_kind(managed, "Pod")["ferflow-predictor"]["spec"]["containers"]
    assert endpoint["port"] == container["ports"][0]["name"]


@pytest.mark.slow
def test_prometheus_takes_the_alarms(tmp_path: Any) -> None:
    from infra.check.program import complaints

    try:
        promtool = find("promtool", "it comes with Prometheus")
    except MissingError as error:
        pytest.skip(str(error))
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]))
    assert complaints([promtool, "check", "rules", str(path)], tmp_path) == []


def test_the_commands_of_the_alarms_exist() -> None:
    """What an alarm says to do can be done: ferflow's own commands by its parser."""
    from pipeline import cli

    rules = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    told = [rule["annotations"]["mend"] for group in rules["spec"]["groups"] for rule in group["rules"]]
    words = [shlex.split(part.partition(",")[0]) for text in told for part in text.split(";")]
    own = [found[1:] for found in words if found and found[0] == "ferflow"]
    assert own
    for arguments in own:
        cli.parser().parse_args(arguments)
