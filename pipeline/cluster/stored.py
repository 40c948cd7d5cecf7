"""The data object on the DVC remote: `python -m pipeline.cluster.stored URL MD5` prints its size in bytes.

A process of its own, for the storage's libraries take as long to load as KFP's: a submission loads both at once.
"""

import logging
import sys
from pathlib import Path

from dvc.config import Config
from dvc.data_cloud import Remote
from dvc.fs import get_cloud_fs

from components.fer.errors import FerflowError, InputError
from components.storage import addresses
from pipeline.desk import ROOT


def size(url: str, md5: str, root: Path = ROOT) -> int:
    """Bytes of the object that is stored under `md5` at `url`.

    Raises `InputError` where it is not there or may not be read, `TemporaryError` where the remote does not answer.
    """
    missing = InputError(f"data object {md5}: expected on the DVC remote {url}, found none.", "dvc push data.dvc")
    config = Config(str(root / ".dvc"))
    # A remote that DVC knows has more settings than its address.
    known = [name for name, entry in config["remote"].items() if str(entry["url"]).rstrip("/") == url]
    with addresses.faults(f"DVC remote {url}", url, missing):
        cloud, options, path = get_cloud_fs(config, **({"name": known[0]} if known else {"url": url}))
        system = cloud(**options)
        found: int = system.info(Remote(url, path, system, **options).odb.oid_to_path(md5))["size"]
    return found


def main(url: str, md5: str) -> None:
    """Print the size of the object; exit as the error says."""
    logging.disable()  # the storage's libraries warn of what is tried next, and log what is raised anyway
    try:
        sys.stdout.write(f"{size(url, md5)}\n")
    except FerflowError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
