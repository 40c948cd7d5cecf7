"""The ferflow command line.

argparse, not tyro as in the stages: `ferflow --help` has to answer at once, and so each command imports what it needs
only when it is called.
"""

import argparse
import inspect
import sys
from pathlib import Path

from components.fer.errors import FerflowError

DESCRIPTION = """\
Facial expression recognition from versioned data to a registered model.

  ferflow demo                    see it all in a few minutes, on drawn faces
  ferflow data PATH/fer2013.csv   bring FER2013 ...
  ferflow run                     ... and take it to a registered model (dvc repro, then a table of results)
  ferflow doctor                  what this machine has for that, and how to get what is missing

Values are in params.yaml; the graph is in pipeline/graphs.py.
"""


def run(options: argparse.Namespace) -> None:
    """Run the main job, or a recipe, on this machine with DVC and print its results.

    Stages whose inputs, parameters and code have not changed are not run again. Without FER2013 (neither
    data/fer2013.csv nor a DVC remote that has it) the demo runs instead, and says so.
    """
    from pipeline import run as command

    command.run(options.recipe, force=options.force)


def demo(options: argparse.Namespace) -> None:
    """Run the main job's graph on drawn faces: small, from scratch, a few minutes on two cores."""
    from pipeline import run as command

    command.demo(force=options.force)


def data(options: argparse.Namespace) -> None:
    """Put FER2013 at data/fer2013.csv: a copy of the file you have, or by `dvc pull`; its md5 is checked."""
    from pipeline import data as command

    command.fetch(options.source)


def compile_graphs(options: argparse.Namespace) -> None:
    """Write pipeline.yaml (Kubeflow) and dvc.yaml (DVC) of every graph from pipeline/graphs.py and params.yaml."""
    from pipeline import compile as command

    command.main(check=options.check)


def lint(_: argparse.Namespace) -> None:
    """Check the compiled graphs for what Kubeflow takes without a word and a cluster refuses, or runs wrongly."""
    from pipeline import lint as command

    command.main()


def doctor(_: argparse.Namespace) -> None:
    """Say what this machine has, what is missing for each way of running, and how to get it."""
    from pipeline import doctor as command

    command.report()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser("ferflow", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(metavar="COMMAND")
    names = {"run": run, "demo": demo, "data": data, "compile": compile_graphs, "lint": lint, "doctor": doctor}
    for name, command in names.items():
        text = inspect.cleandoc(command.__doc__ or "")
        raw = argparse.RawDescriptionHelpFormatter
        sub = commands.add_parser(name, help=text.split("\n", 1)[0], description=text, formatter_class=raw)
        sub.set_defaults(command=command)
        if name == "run":
            sub.add_argument("--recipe", metavar="NAME", help="a folder of recipes/ instead of the main job")
        if name in ("run", "demo"):
            sub.add_argument("--force", action="store_true", help="run every stage again")
        if name == "data":
            sub.add_argument("source", type=Path, nargs="?", help="fer2013.csv as downloaded; without it, dvc pull")
        if name == "compile":
            sub.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    return top


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `ferflow` command: exit 0, or the exit code of the error (1, 2 or 75) and its message."""
    top = parser()
    options = top.parse_args(argv)
    if options.version:
        from importlib.metadata import version

        sys.stdout.write(f"ferflow {version('ferflow')}\n")
    elif not hasattr(options, "command"):
        top.print_help()
    else:
        try:
            options.command(options)
        except FerflowError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
