"""The connection to Kubeflow Pipelines: who asks, what is asked again, and what each fault comes to."""

import socket
from pathlib import Path

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2.credentials import Credentials

from components.fer.errors import FerflowError, InputError, TemporaryError
from pipeline.cluster import connection, credentials
from pipeline.cluster.connection import Cluster, connect
from pipeline.cluster.settings import Settings
from tests.pipeline.cluster.kfp_server import Fault, Server

RUN = "/apis/v2beta1/runs/x"


def ask(there: Cluster) -> object:
    return there.ask("get run x", lambda: there.runs.run_service_get_run("x"))


def told(kfp: Server, words: str) -> str:
    return f"Kubeflow Pipelines at {kfp.host}: get run x: {words}"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, InputError, "refused: 400 as ordered"),
        (
            401,
            InputError,
            (
                "expected other credentials than no credentials: 401 as ordered\n"
                "Set credentials in infra/cluster.yaml, or KFP_EXISTING_TOKEN to a token."
            ),
        ),
        (
            403,
            InputError,
            (
                "not allowed in namespace team with no credentials: 403 as ordered\n"
                "Ask for a role there, or correct infra/cluster.yaml."
            ),
        ),
        (404, InputError, "not found: 404 as ordered\nLook at the id, and at host in infra/cluster.yaml."),
        (409, InputError, "refused: 409 as ordered"),
        (500, TemporaryError, "500 as ordered\nRun the same command again."),
        (503, TemporaryError, "503 as ordered\nRun the same command again."),
    ],
)
def test_what_a_status_comes_to(kfp: Server, team: Settings, status: int, kind: type[FerflowError], words: str) -> None:
    """Lasting faults are told at once; others after all attempts."""
    kfp.faults = [Fault("GET", RUN, status=status, times=10)]
    with pytest.raises(kind) as error:
        ask(connect(team))
    assert str(error.value) == told(kfp, words)
    assert 10 - kfp.faults[0].times == (1 if kind is InputError else 1 + len(connection.PAUSES))


def test_nobody_answers(kfp: Server, team: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(TemporaryError) as error:
            ask(connect(team.model_copy(update={"host": host})))
    assert str(error.value).startswith(f"Kubeflow Pipelines at {host}: get run x: no answer: Failed to establish")
    assert str(error.value).endswith(
        "See to the network and to host in infra/cluster.yaml, then run the same command again."
    )


def test_a_page_for_logging_in(kfp: Server, team: Settings) -> None:
    kfp.page_of = "<!doctype html>\n<title>Log in</title>"
    with pytest.raises(InputError) as error:
        _ = connect(team).version
    assert str(error.value) == (
        f"Kubeflow Pipelines at {kfp.host}: expected its API, received a page of another kind: "
        "<!doctype html> <title>Log in</title>\n"
        "A page for logging in? Correct host or credentials in infra/cluster.yaml."
    )


def test_the_server_of_the_pages_has_other_words(team: Settings) -> None:
    there = connect(team)
    there.__dict__["health"] = {"apiServerTagName": "2.16.0", "apiServerMultiUser": True}
    assert (there.version, there.namespace) == ("2.16.0", "team")


def test_lists_are_read_to_their_end(kfp: Server, team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAGE", 2)
    kfp.experiments = {str(number): {"experiment_id": str(number)} for number in range(5)}
    there = connect(team)
    request = there.experiments.experiment_service_list_experiments
    found = there.pages("list", request, "experiments", namespace=there.namespace)
    assert [entry.experiment_id for entry in found] == ["0", "1", "2", "3", "4"]


def test_an_existing_token(kfp: Server, team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kfp.token = "good"
    monkeypatch.setenv("KFP_EXISTING_TOKEN", "good")
    assert connect(team).version == "2.17.0"
    monkeypatch.setenv("KFP_EXISTING_TOKEN", "expired")
    with pytest.raises(InputError) as error:
        _ = connect(team).version
    assert str(error.value) == (
        f"Kubeflow Pipelines at {kfp.host}: healthz: expected other credentials than the token in KFP_EXISTING_TOKEN: "
        "401 Unauthenticated\nSet KFP_EXISTING_TOKEN to a new token."
    )


def test_the_token_of_a_pod_is_read_again_for_each_request(
    kfp: Server, team: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubernetes replaces it in its file before it expires."""
    file = tmp_path / "token"
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    file.write_text("first")
    there = connect(team)
    for kfp.token in ("first", "second"):
        file.write_text(kfp.token)
        assert list(there.pages("list", there.runs.run_service_list_runs, "runs", namespace="team")) == []


def test_a_google_identity(kfp: Server, team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kfp.token = "ya29"
    found = Credentials(token="ya29")  # type: ignore[no-untyped-call]
    monkeypatch.setattr(google.auth, "default", lambda scopes: (found, "project"))
    assert connect(team.model_copy(update={"credentials": "google"})).version == "2.17.0"


def test_no_google_identity(team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def default(scopes: list[str]) -> None:
        raise DefaultCredentialsError("Nothing is there.")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(google.auth, "default", default)
    with pytest.raises(InputError) as error:
        connect(team.model_copy(update={"credentials": "google"}))
    assert str(error.value) == (
        "Google identity: expected Application Default Credentials, found none. Nothing is there.\n"
        "gcloud auth application-default login"
    )


def test_no_token_goes_over_the_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_EXISTING_TOKEN", "secret")
    with pytest.raises(InputError) as error:
        credentials.identity("http://kubeflow.example.com", "none")
    assert str(error.value) == (
        "cluster settings: host: expected https://, where a token is to be sent. Received: http://kubeflow.example.com\n"
        "Correct host in infra/cluster.yaml."
    )
    assert credentials.identity("https://kubeflow.example.com", "none").described == "the token in KFP_EXISTING_TOKEN"


def test_nothing_is_left_in_the_home(
    kfp: Server, team: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """kfp.Client would keep a namespace and cookies in ~/.config/kfp, take others from there, and print."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert connect(team).namespace == "team"
    assert not (tmp_path / "home").exists()
    assert capsys.readouterr() == ("", "")
