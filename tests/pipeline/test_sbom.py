"""What a bill of materials has beside the Python packages."""

from pipeline import sbom


def test_python_and_the_packages_of_the_system_are_named_as_scanners_know_them() -> None:
    files = {
        "python": b"Python 3.11.9\n",
        "os-release": b'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n\n',
        "dpkg": b"libstdc++6 12.2.0-14+deb12u1 amd64\nadduser 1:3.134 all\n",
    }
    found = list(sbom.system_packages(files))
    assert [(entry["name"], entry["version"], entry["purl"]) for entry in found] == [
        ("python", "3.11.9", "pkg:generic/python@3.11.9"),
        (
            "libstdc++6",
            "12.2.0-14+deb12u1",
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
        ),
        ("adduser", "1:3.134", "pkg:deb/debian/adduser@1:3.134?arch=all&distro=debian-12"),
    ]
