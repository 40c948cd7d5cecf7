"""Kill promotions before every call of the store and of the registries.

    python -m tests.proof.promotion

For a store in a folder and one in a bucket, each with an MLflow and a Kubeflow Model Registry: a push that promotes, a
promotion by a person, and a rollback, each in a process that is killed before its first call, its second, and so on, to
the end. After each, the champion must be the old or the new one, each version whole, and one sync must put both
registries right: exit code 1 where not.
"""

import os
import re
import sys
import tempfile
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from google.cloud import storage

from components.registry import mlflow_mirror
from tests.components.buckets import google_storage
from tests.components.registry.faults import MOVES, OLD_AND_NEW
from tests.components.registry.model_registry_server import serve
from tests.components.registry.scenes import Killed, Scenes

BUCKET = "gs://proof"


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)  # noqa: T201


@contextmanager
def bucket() -> Iterator[str]:
    """A bucket on a server of this machine; gives the server's address."""
    with google_storage() as address:
        os.environ |= {"STORAGE_EMULATOR_HOST": address, "NO_GCE_CHECK": "true"}
        storage.Client(project="test").create_bucket(BUCKET.removeprefix("gs://"))
        yield address


def prove(scenes: Scenes, move: str, where: str) -> bool:
    """Kill a move everywhere; whether each kill left what it may."""
    started = time.monotonic()
    *kills, survived = scenes.kills(move)
    old, new = OLD_AND_NEW[move]
    left = Counter(found.champion for found in kills)
    good = left.keys() == {old, new} and survived.champion == new and in_one_step(kills)
    say(
        f"{'PASS' if good else 'FAIL'}: {move}, store in a {where}: killed before each of {len(kills)} calls in "
        f"{time.monotonic() - started:.0f} s; {left[old]} left the old champion, {left[new]} the new one"
    )
    for champion, left_by in groupby(kills, lambda found: found.champion):
        calls = Counter(re.sub(r"/\d+", "/ID", found.call) for found in left_by)
        said = ", ".join(f"{call} {times}" for call, times in calls.items())
        text = f"{'old' if champion == old else 'new'} champion, calls: {said}"
        say(textwrap.indent(textwrap.fill(text, 112, subsequent_indent="    "), "    "))
    return good


def in_one_step(kills: list[Killed]) -> bool:
    """Whether the champion changes once, from one call to the next."""
    return len(list(groupby(found.champion for found in kills))) == 2


def main() -> None:
    warnings.simplefilter("ignore")
    good = True
    with tempfile.TemporaryDirectory(prefix="ferflow-proof-") as name, serve() as server, bucket() as endpoint:
        empty = Path(name, "empty.db")
        mlflow_mirror._client(f"sqlite:///{empty}").search_registered_models()
        for where, address in (("folder", ""), ("bucket", BUCKET)):
            folder = Path(name, where)
            folder.mkdir()
            for move in MOVES:
                server.models, server.versions, server.artifacts, server.parents = {}, {}, {}, {}
                good &= prove(Scenes(folder, server, empty, address, endpoint if address else ""), move, where)
    say("PASS: the old champion or the new one, whole, and one sync" if good else "FAIL")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
