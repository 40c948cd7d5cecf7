"""The bill of materials of an image, in CycloneDX: what is installed in it, whatever was asked for.

The image has no tool for that. Its packages' metadata are copied out into a virtual environment that holds nothing
else, which CycloneDX's own tool reads; the packages of the operating system and Python itself are added.
"""

import io
import json
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from packageurl import PackageURL

PACKAGES = "/venv/lib/python3*/site-packages"

LISTING = f"""
python -V > /tmp/python
dpkg-query -W -f '${{Package}} ${{Version}} ${{Architecture}}\\n' > /tmp/dpkg
cd {PACKAGES} && tar -c *.dist-info/METADATA -C /tmp python dpkg -C /usr/lib os-release
"""
"""Run in the image: a tar archive of everything that says what is installed."""


def bill(image: str, name: str, digest: str) -> dict[str, Any]:
    """The bill of materials of `image`, as a CycloneDX document that is about the container `name` of that `digest`.

    Raises `subprocess.CalledProcessError` where the image cannot be run.
    """
    command = ["docker", "run", "--rm", "--network", "none", image, "sh", "-ec", LISTING]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: _content(tar, member) for member in tar if member.isfile()}
    document: dict[str, Any] = _python_packages(files)
    document["metadata"]["component"] = {"type": "container", "bom-ref": name, "name": name, "version": digest}
    document["components"] += system_packages(files)
    return document


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "a regular file"
    return file.read()


def _python_packages(files: Mapping[str, bytes]) -> Any:
    """What CycloneDX's tool says of an environment with these packages."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, symlinks=True)
        site = Path(sysconfig.get_path("purelib", "venv", {"base": folder}))
        for name, content in files.items():
            path = PurePosixPath(name)
            if path.name == "METADATA":
                (site / path.parent.name).mkdir()
                (site / path.parent.name / path.name).write_bytes(content)
        # Validation takes ten times as long as all the rest; a test does it.
        options = ["--output-reproducible", "--no-validate", "--of", "JSON", "-o", "-"]
        command = [sys.executable, "-m", "cyclonedx_py", "environment", *options, folder]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def system_packages(files: Mapping[str, bytes]) -> Iterator[dict[str, str]]:
    """Components for Python itself and for the packages of the operating system, from what `LISTING` wrote."""
    python = files["python"].decode().split()[1]
    yield _component("python", python, PackageURL("generic", None, "python", python))
    release = dict(line.split("=", 1) for line in files["os-release"].decode().splitlines() if "=" in line)
    system = {key: release[key].strip('"') for key in ("ID", "VERSION_ID")}
    for line in files["dpkg"].decode().splitlines():
        name, version, architecture = line.split()
        qualifiers = {"arch": architecture, "distro": f"{system['ID']}-{system['VERSION_ID']}"}
        yield _component(name, version, PackageURL("deb", system["ID"], name, version, qualifiers))


def _component(name: str, version: str, address: PackageURL) -> dict[str, str]:
    url = address.to_string()
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
