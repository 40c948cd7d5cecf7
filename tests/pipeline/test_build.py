"""ferflow images, as far as it goes without an engine; tests/containers has the rest."""

import subprocess
from pathlib import Path

import pytest

from components.fer.errors import InputError, UsageError
from pipeline import build, images, repository

NAMES = "validate, preprocess, train-backbone, train-hybrid, evaluate, push-model, resolve, tfx-check, serve"


def test_an_unknown_component() -> None:
    with pytest.raises(UsageError) as error:
        build.main(["validate", "train_backbone"], registry=None, accelerator="cpu", base=None)
    assert str(error.value) == f"component train_backbone: expected one of {NAMES}."


@pytest.mark.parametrize("registry", ["https://registry.test", "registry.test/", "Registry.test/Team", ""])
def test_a_registry_that_cannot_be_one(registry: str) -> None:
    with pytest.raises(UsageError) as error:
        build.main([], registry=registry, accelerator="cpu", base=None)
    expected = "expected HOST/PATH, such as europe-docker.pkg.dev/PROJECT/ferflow"
    assert str(error.value) == f"registry {registry}: {expected}."


def test_no_docker_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError) as error:
        build.main([], registry=None, accelerator="cpu", base=None)
    assert str(error.value) == f"docker: expected the command, found none in PATH.\n{build.ENGINE}"


def test_an_ignore_file_that_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a new module in it, the image would be built without the module."""
    stale = images.dockerfile("validate").with_name("Dockerfile.dockerignore")
    monkeypatch.setattr(build, "have_engine", lambda: None)
    monkeypatch.setattr(images, "generated", lambda: iter([(stale, "*\n!components/new.py\n")]))
    with pytest.raises(InputError) as error:
        build.main([], registry=None, accelerator="cpu", base=None)
    assert str(error.value) == (
        "components/validate/Dockerfile.dockerignore: expected the files that the stage imports, found others.\n"
        "ferflow compile"
    )


def test_the_revision_is_that_of_what_is_in_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that changes something else does not make another image, of which nothing is cached yet."""

    def git(*arguments: str) -> str:
        options = ["-c", "user.name=n", "-c", "user.email=e@test", "-C", str(tmp_path)]
        done = subprocess.run(["git", *options, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(name: str) -> str:
        (tmp_path / name).write_text(name)
        git("add", name)
        git("commit", "-qm", name)
        return git("rev-parse", "HEAD")

    def revision() -> str | None:
        return build.labels("validate").get("revision")

    for module in (repository, build):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(images, "inputs", lambda component: ["code"])
    monkeypatch.setattr(images, "dockerfile", lambda component: tmp_path / "Dockerfile")
    assert revision() is None
    git("init", "-q")
    made = commit("code")
    commit("README")
    assert revision() == made
    (tmp_path / "code").write_text("changed")
    assert revision() == f"{made}-dirty"
    git("checkout", "-q", "code")
    (tmp_path / "Dockerfile").touch()
    assert revision() == f"{made}-dirty"
