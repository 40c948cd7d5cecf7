"""`ferflow serve` says by message and exit code why it serves nothing."""

import socket
from pathlib import Path

import pytest

from components.model_store import promotion
from components.model_store.folder import FolderStore
from pipeline import cli
from tests.components.model_store.made import NAME, make, verdict


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "models")


def serve(store: FolderStore, *arguments: str) -> int | str | None:
    """Run the command: its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--store", str(store.root), "--name", NAME, "--port", "0", *arguments])
    return ended.value.code


def test_a_model_without_champion_is_told(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    make(store, 60)
    assert serve(store) == 1
    assert capsys.readouterr().err == (
        f"model {NAME}: expected a champion in its store, found none.\n"
        "Name a --version, or promote one: ferflow models list\n"
    )


def test_a_champion_with_a_flipped_byte_is_refused_by_its_file(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    version = make(store, 60)
    promotion.by_gate(store, NAME, None, version.id, verdict("PROMOTE"))
    model = Path(version.address) / "saved_model" / "saved_model.pb"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.chmod(0o644)
    model.write_bytes(content)
    assert serve(store) == 1
    assert f"{version.id}: saved_model/saved_model.pb is not what was stored" in capsys.readouterr().err


def test_a_version_that_is_not_stored_is_told(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    stored = make(store, 60)
    assert serve(store, "--version", "0009-00000000") == 1
    error = capsys.readouterr().err
    assert "0009-00000000" in error
    assert stored.id in error


def test_a_port_in_use_is_told_before_anything_is_read(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert serve(store, "--port", port) == 1
    assert f"address 127.0.0.1:{port}: expected one that is free" in capsys.readouterr().err


def test_a_port_that_is_none_is_wrong_usage(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(store, "--port", "70000") == 2
    assert "--port 70000: " in capsys.readouterr().err
