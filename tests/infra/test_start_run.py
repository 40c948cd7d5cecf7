"""start_run.py: the CronJob starts what `ferflow schedule apply` said, once for each time that it is due."""

from collections.abc import Iterator

import pytest

from components.fer.errors import InputError, TemporaryError
from infra.kubernetes.components.cronjob import start_run
from tests.pipeline.cluster.conftest import committed, kfp, pushed, ready, stored, team  # noqa: F401 -- fixtures
from tests.pipeline.cluster.kfp_http import serve
from tests.pipeline.cluster.kfp_server import Fault, Server
from tests.pipeline.cluster.test_schedule import Write, ferflow, scheduled  # noqa: F401 -- a fixture

NAME = "ferflow-main"


@pytest.fixture
def paused() -> Iterator[Server]:
    """A server with a paused schedule, as `ferflow schedule apply` and `pause` leave it."""
    with serve() as server:
        server.experiments["e"] = {"experiment_id": "e", "display_name": NAME, "namespace": "team"}
        inputs = {"training__seed": {"parameterType": "NUMBER_INTEGER"}}
        specification = {"pipeline_spec": {"root": {"inputDefinitions": {"parameters": inputs}}}}
        server.versions["v"] = {"pipeline_id": "p", "pipeline_version_id": "v", "pipeline_spec": specification}
        server.schedules["s"] = {
            "recurring_run_id": "s",
            "display_name": NAME,
            "namespace": "team",
            "status": "DISABLED",
            "experiment_id": "e",
            "pipeline_version_reference": {"pipeline_id": "p", "pipeline_version_id": "v"},
            "runtime_config": {"parameters": {"training__seed": 7}, "pipeline_root": "gs://team/runs"},
            "service_account": "ferflow-run",
        }
        yield server


def started(server: Server, run: str = "ferflow-schedule-29000000", token: str = "") -> str:
    return start_run.start(server.host, "team", NAME, run, token)


def test_the_run_is_what_the_schedule_says(paused: Server) -> None:
    assert started(paused) == "ferflow-schedule-29000000: started, run-0001"
    (run,) = paused.runs.values()
    asked = paused.schedules["s"]
    for key in ("experiment_id", "pipeline_version_reference", "runtime_config", "service_account"):
        assert run[key] == asked[key]
    assert run["display_name"] == "ferflow-schedule-29000000"


def test_a_pod_that_is_tried_again_starts_nothing_new(paused: Server) -> None:
    started(paused)
    assert started(paused) == "ferflow-schedule-29000000: started already"
    assert len(paused.runs) == 1


def test_an_answer_that_got_lost_does_not_start_a_second_run(paused: Server) -> None:
    paused.faults.append(Fault("POST", "/apis/v2beta1/runs", done=True))
    with pytest.raises(TemporaryError):
        started(paused)
    assert started(paused) == "ferflow-schedule-29000000: started already"
    assert len(paused.runs) == 1


def test_no_run_is_started_beside_one_that_has_not_ended(paused: Server) -> None:
    started(paused, "ferflow-schedule-1")
    told = started(paused, "ferflow-schedule-2")
    assert told == "ferflow-schedule-2: not started: ferflow-schedule-1 has not ended"
    next(iter(paused.runs.values()))["state"] = "FAILED"
    assert started(paused, "ferflow-schedule-3").startswith("ferflow-schedule-3: started, ")


def test_an_active_schedule_is_refused(paused: Server) -> None:
    """Else each run would be started twice."""
    paused.schedules["s"]["status"] = "ENABLED"
    with pytest.raises(InputError, match=r"expected a paused one.*\nferflow schedule pause"):
        started(paused)
    assert paused.changes == []


def test_without_a_schedule_the_mending_command_is_named(paused: Server) -> None:
    del paused.schedules["s"]
    with pytest.raises(InputError, match=r"expected one, found 0.\nferflow schedule apply"):
        started(paused)


def test_the_pods_own_token_is_sent(paused: Server) -> None:
    paused.token = "of-the-pod"
    with pytest.raises(InputError, match="received 401"):
        started(paused, token="another")
    assert started(paused, token="of-the-pod").startswith("ferflow-schedule-29000000: started")


@pytest.mark.parametrize(("status", "error"), [(503, TemporaryError), (429, TemporaryError), (403, InputError)])
def test_a_refusal_is_told_apart_from_a_fault_that_passes(status: int, error: type[Exception], paused: Server) -> None:
    paused.faults.append(Fault("GET", "/apis/v2beta1/recurringruns", status=status))
    with pytest.raises(error, match=f"received {status}"):
        started(paused)


@pytest.mark.slow
def test_after_the_commands_of_the_docs(kfp: Server, scheduled: Write) -> None:  # noqa: F811
    """`ferflow schedule apply`, `ferflow schedule pause`, and then the CronJob's pod."""
    assert (ferflow("apply"), ferflow("pause")) == (0, 0)
    told = start_run.start(kfp.host, "team", NAME, "ferflow-schedule-1", "")
    assert told.startswith("ferflow-schedule-1: started")
    (run,) = kfp.runs.values()
    assert run["runtime_config"] == next(iter(kfp.schedules.values()))["runtime_config"]
