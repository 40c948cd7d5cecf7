"""Where a run comes from: data, code, parameters, packages, and what each file is by its digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from components.model_store.lineage import Code, Lineage

Tree = Mapping[str, Any]


class Digest(NamedTuple):
    """What a file or folder is."""

    name: str
    kind: str
    """md5 or sha256"""
    value: str
    source: str
    """who says so"""


@dataclass(frozen=True)
class Origin:
    """Where a run comes from."""

    code: tuple[tuple[str, str], ...]
    """what is known of the code, by name"""
    packages: dict[str, str]
    """versions of what loads the model; empty where no version is at hand"""
    parameters: dict[str, Any]
    """as the stages ran with them"""
    digests: tuple[Digest, ...]


def trace(lock: Tree, verdict: Tree | None, stored: Lineage | None, here: Code) -> Origin:
    """What dvc.lock, the gate's verdict and the stored version say; `here` is the code of this checkout."""
    code = {"this checkout": _commit(here.commit, here.dirty)}
    if stored:
        made = stored.provenance or stored.code
        code["stored version"] = _commit(made.commit, made.dirty)
        code["its sources"] = f"sha256 {stored.code.sources_sha256}"
    packages = {"Python": stored.python, **stored.packages} if stored else {}
    parameters = {
        name: value
        for run in lock.values()
        for values in run.get("params", {}).values()
        for name, value in values.items()
    }
    return Origin(tuple(code.items()), packages, dict(sorted(parameters.items())), tuple(_digests(lock, verdict)))


def _commit(commit: str | None, dirty: bool | None) -> str:
    return f"commit {commit or 'not known'}{', with changes' if dirty else ''}"


def _digests(lock: Tree, verdict: Tree | None) -> Iterator[Digest]:
    """Of the data set, of what each stage wrote, and of the candidate."""
    made = {entry["path"] for run in lock.values() for entry in run.get("outs", ())}
    read = {
        entry["path"]: entry["md5"]
        for run in lock.values()
        for entry in run.get("deps", ())
        if entry["path"] not in made and not entry["path"].endswith((".py", ".j2"))
    }
    yield from (Digest(path, "md5", md5, "dvc.lock") for path, md5 in sorted(read.items()))
    for run in lock.values():
        yield from (Digest(entry["path"], "md5", entry["md5"], "dvc.lock") for entry in run.get("outs", ()))
    if verdict:
        for name, value in verdict["candidate"].items():
            what, _, kind = name.rpartition("_")
            if kind in ("md5", "sha256"):
                yield Digest(f"{verdict['candidate']['version']}: {what}", kind, value, "verdict.json")
