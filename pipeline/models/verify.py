"""`ferflow models verify`: hash a version again, and follow its lineage link by link to the first that is broken.

    files        each file is what the manifest says, and the manifest what was stored
    candidate    model, metrics, predictions and data are those that the version is named by
    data         the data set, where it is at hand
    prepared     the prepared data set, where it is at hand
    code         the commit, and the sources of its components
    images       each by its digest
    run          each registry at hand names the one that the lineage names
    parameters   those of the file are those of the lineage
    weights      those that the lineage names
    metrics      those of PublicTest and of all of PrivateTest are those of the predictions
    registry     each shows the version, its address and its metrics, as the store has them

The data sets are files of the workspace: dvc.lock says which one shall be what, so that the data of another version is
not taken for damage of this one's. What cannot be checked here is said, and is no fault.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from components.fer.dataset import Predictions
from components.fer.errors import InputError, TemporaryError
from components.model_store import lineage
from components.model_store.lineage import Lineage
from components.model_store.manifest import MEND, Manifest
from components.model_store.provenance import PARAMETERS
from components.model_store.versions import Version, candidate_sha256, identity, known, number
from components.push_model.candidate import check_metrics
from components.registry import mirrors
from components.registry.entries import Shown, differences, entry
from pipeline import repository
from pipeline.desk import ROOT
from pipeline.models.commands import say
from pipeline.models.place import Place

DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


class Unchecked(Exception):  # it is no error
    """A link that cannot be checked here, and why."""


class Link(NamedTuple):
    """One link of the chain, and what was found."""

    name: str
    state: Literal["whole", "not checked", "broken"]
    told: str


@dataclass(frozen=True)
class Subject:
    """A version whose files are whole."""

    place: Place
    version: Version
    folder: Path
    """with its files"""
    manifest: Manifest
    record: Lineage

    @cached_property
    def shown(self) -> Mapping[str, Shown | str]:
        """What each registry says, by its address without a user; or in words why it cannot be asked."""
        return {mirrors.printable(address): self._said(address) for address in mirrors.addresses(self.place.registry)}

    def _said(self, address: str) -> Shown | str:
        if mirrors.is_absent(address):
            return f"{mirrors.printable(address)} is not here"
        try:
            return mirrors.shown(address, self.place.name)
        except TemporaryError as error:
            return str(error).partition("\n")[0]


def verify(place: Place, version: str | None, every: bool) -> None:
    """Check a version, the champion or every version, and print what was found.

    Raises `InputError` that names each version's first broken link.
    """
    versions, broken = place.store.versions(place.name), []
    for chosen in versions if every else [known(versions, place.name, version or _champion(place))]:
        say(f"{place.name} {chosen.id}")
        for link in links(place, chosen):
            first_line = link.told.partition("\n")[0]
            say(f"  {link.name:<11} {link.state:<12} {first_line}".rstrip())
            if link.state == "broken":
                broken.append(f"version {chosen.id} of {place.name}, {link.name}: {link.told}")
    if broken:
        raise InputError("\n".join(broken))


def links(place: Place, version: Version) -> Iterator[Link]:
    """Follow the lineage of a version, up to the first broken link."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(place.store.fetched(place.name, version.id))
            described = place.store.manifest(place.name, version.id)
            _sha256(described, lineage.NAME, version)
            record = lineage.parse((folder / lineage.NAME).read_bytes(), version.address)
        except InputError as error:
            yield Link("files", "broken", str(error))
            return
        yield Link("files", "whole", f"{len(described.files)} files")
        subject = Subject(place, version, folder, described, record)
        for name, check in CHECKS.items():
            try:
                yield Link(name, "whole", check(subject))
            except Unchecked as reason:
                yield Link(name, "not checked", str(reason))
            except InputError as error:
                yield Link(name, "broken", str(error))
                return


def _champion(place: Place) -> str:
    champion = place.store.champion(place.name)
    if champion is None:
        raise InputError(f"champion of {place.name}: expected one, found none.", "ferflow models verify --all")
    return champion.version


def candidate(subject: Subject) -> str:
    """The version is named by its content."""
    names = ("model.keras", "metrics.json", "predictions.npz")
    digests = [_sha256(subject.manifest, name, subject.version) for name in names]
    sha256 = candidate_sha256(digests, subject.record.data_md5)
    if (sha256, identity(number(subject.version.id), sha256)) != (subject.manifest.candidate, subject.version.id):
        raise InputError(f"expected the candidate that {subject.version.id} names, found {sha256}.", MEND)
    return f"sha256 {sha256}"


def data(subject: Subject) -> str:
    """The data set at hand is the version's."""
    return _at_hand(subject.place.folder, subject.record.data_md5, "dvc checkout, or dvc pull data.dvc --force")


def prepared(subject: Subject) -> str:
    """The prepared data set at hand is the version's."""
    md5 = subject.record.prepared_md5
    if md5 is None:
        raise Unchecked("a folder of TFRecords, or a version from before its md5 was kept")
    return _at_hand(subject.place.folder, md5, "dvc checkout, or dvc repro preprocess")


def code(subject: Subject) -> str:
    """Git has the commit, and in it the sources that ran."""
    record, (commit, dirty) = subject.record, subject.record.commit
    if commit is None:
        raise Unchecked("no commit is known")
    if not repository.has(commit):
        if not repository.is_complete():
            raise Unchecked(f"commit {commit}: the history of git is not at hand")
        raise InputError(f"commit {commit}: expected it in git, found none.", "Fetch the branch that had it: git fetch")
    if dirty:
        raise Unchecked(f"commit {commit} is there, but the sources were not those of it")
    if record.code.commit == commit and _sources(commit) != record.code.sources_sha256:
        raise InputError(f"commit {commit}: its sources are not those that ran (their sha256 differs).", MEND)
    return f"commit {commit}"


def images(subject: Subject) -> str:
    """Each image is named by its digest."""
    made = subject.record.provenance
    if not made or not made.images:
        raise Unchecked("none are known: it was not made in containers, or not by ferflow submit")
    for name, image in made.images.items():
        if not DIGEST.fullmatch(image):
            raise InputError(f"image of {name}: expected NAME@sha256:DIGEST, found {image}.", MEND)
    raise Unchecked(f"{len(made.images)} images by digest; whether their registry still has them, it alone knows")


def run(subject: Subject) -> str:
    """Each registry at hand names the run that the lineage names: the version was stored, and mirrored, with it."""
    made = subject.record.provenance
    if not made or not made.run:
        raise Unchecked("none is known: it was made at a desk, or not by ferflow submit")
    asked, unchecked = [], []
    for where, shown in subject.shown.items():
        said = None if isinstance(shown, str) else shown.versions.get(subject.version.id)
        if said is None:
            unchecked.append(shown if isinstance(shown, str) else f"{where} has not the version")
            continue
        found = said.tags["tag"].get("run")
        if found != made.run:
            raise InputError(
                f"run: {lineage.NAME} names {made.run}, {where} {found or 'none'}.",
                f"{MEND} Where the registry is wrong: ferflow models sync",
            )
        asked.append(where)
    if not asked:
        raise Unchecked(f"{made.run}: {'; '.join(unchecked)}")
    return f"{made.run}, as {', '.join(asked)} has it"


def parameters(subject: Subject) -> str:
    """The parameters are the lineage's."""
    made = subject.record.provenance
    if not made:
        raise Unchecked("none are known: it was not made by ferflow submit or dvc repro")
    if _json(subject, PARAMETERS) != dict(made.parameters):
        raise InputError(f"{PARAMETERS}: expected the parameters of {lineage.NAME}, found others.", MEND)
    return f"{len(made.parameters)} parameters"


def weights(subject: Subject) -> str:
    """The model is the lineage's."""
    found = _sha256(subject.manifest, "model.keras", subject.version)
    if found != subject.record.model_sha256:
        raise InputError(f"model.keras: expected sha256 {subject.record.model_sha256}, found {found}.", MEND)
    return f"sha256 {found}"


def metrics(subject: Subject) -> str:
    """The metrics are those of the predictions."""
    file, answers = subject.folder / "metrics.json", subject.folder / "predictions.npz"
    tree, predictions = _json(subject, file.name), Predictions.load(answers)
    check_metrics(tree, predictions, file, answers)
    from pipeline.models import figures  # scikit-learn loads where it is used

    for name, claimed, found in figures.differing(tree, figures.measured(tree, predictions)):
        raise InputError(f"metrics {file}: {name} is {_short(claimed)}, but predictions give {_short(found)}.", MEND)
    return f"accuracy on PublicTest {tree['public']['accuracy']:.4f}, as of the predictions"


def registry(subject: Subject) -> str:
    """Each registry shows the version as it is stored."""
    place, champion = subject.place, subject.place.store.champion(subject.place.name)
    wanted, unchecked = entry(place.name, place.store, champion, subject.version), []
    for where, shown in subject.shown.items():
        if isinstance(shown, str):
            unchecked.append(shown)
            continue
        for difference in differences([wanted], {}, shown):
            raise InputError(f"{where}: {difference}.", "ferflow models sync")
    if unchecked:
        raise Unchecked("; ".join(unchecked))
    return ", ".join(subject.shown)


CHECKS: dict[str, Callable[[Subject], str]] = {
    "candidate": candidate,
    "data": data,
    "prepared": prepared,
    "code": code,
    "images": images,
    "run": run,
    "parameters": parameters,
    "weights": weights,
    "metrics": metrics,
    "registry": registry,
}


def _at_hand(folder: Path, md5: str, mend: str) -> str:
    """Find the file that shall have this md5 by dvc.lock, and hash it."""
    path = _locked(folder / "dvc.lock").get(md5)
    if path is None or not path.is_file():
        raise Unchecked(f"md5 {md5} is not at hand")
    found = lineage.md5(path)
    if found != md5:
        raise InputError(f"{path.relative_to(ROOT)}: expected md5 {md5}, found {found}.", mend)
    return f"{path.relative_to(ROOT)}, md5 {md5}"


def _locked(lock: Path) -> dict[str, Path]:
    """The files of the workspace by the md5 that dvc.lock says they have."""
    stages = yaml.load(lock.read_text(), yaml.CSafeLoader)["stages"].values() if lock.is_file() else ()
    entries = (entry for stage in stages for kind in ("deps", "outs") for entry in stage.get(kind, ()))
    return {entry["md5"]: lock.parent / entry["path"] for entry in entries}


def _sources(commit: str) -> str:
    with tempfile.TemporaryDirectory() as temporary:
        repository.export(commit, "components", Path(temporary))
        return lineage.sources_sha256(Path(temporary) / "components")


def _sha256(described: Manifest, name: str, version: Version) -> str:
    """The sha256 of a file. Raises `InputError` where there is none: a manifest that was made again may lack it."""
    if name not in described.files:
        raise InputError(f"version {version.address}: {name} is missing.", MEND)
    return described.files[name].sha256


def _short(value: Any) -> str:
    """A figure in words; of a table its beginning."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _json(subject: Subject, name: str) -> dict[str, Any]:
    """Read a file of the version. Raises `InputError` where it is no JSON object."""
    _sha256(subject.manifest, name, subject.version)
    where = f"version {subject.version.address}, {name}: expected a JSON object, received"
    try:
        # An integer that no double holds would raise wherever it is compared.
        tree = json.loads((subject.folder / name).read_bytes(), parse_int=lambda text: int(text[:300]))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: {error}.", MEND) from error
    if not isinstance(tree, dict):
        raise InputError(f"{where} a {type(tree).__name__}.", MEND)
    return tree
