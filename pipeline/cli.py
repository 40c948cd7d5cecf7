"""The ferflow command line.

argparse, not tyro as in the stages: `ferflow --help` has to answer at once, and so each command imports what it needs
only when it is called.
"""

import argparse
import inspect
import os
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

    With --docker each stage runs in its image (make images), as on a cluster: every stage every time, as a trial in
    artifacts/docker that has a model store of its own. The exit code is that of the stage that fails.
    """
    from pipeline import run as command

    command.run(options.recipe, force=options.force, docker=options.docker)


def demo(options: argparse.Namespace) -> None:
    """Run a graph on drawn faces: small, from scratch, a few minutes on two cores.

    hybrid is the main job's; single trains one architecture; benchmark trains some side by side.
    """
    from pipeline import run as command

    command.demo(force=options.force, graph=options.graph, docker=options.docker)


def data(options: argparse.Namespace) -> None:
    """Put FER2013 at data/fer2013.csv: a copy of the file you have, or by `dvc pull`; its md5 is checked."""
    from pipeline import data as command

    command.fetch(options.source)


def compile_graphs(options: argparse.Namespace) -> None:
    """Write pipeline.yaml (Kubeflow) and dvc.yaml (DVC) of every graph from pipeline/graphs.py and params.yaml."""
    from pipeline import compile as command

    command.main(check=options.check)


def compare(options: argparse.Namespace) -> None:
    """Put the evaluated models of a job side by side: accuracy, cost, recall and precision of each expression.

    Prints the tables, and writes them to artifacts/compare.html in the job's folder.
    """
    from pipeline import compare as command

    command.main(options.recipe)


def report(options: argparse.Namespace) -> None:
    """Write the page of a job's last run: results, gate, graph, data, curves, confusion, origin, time and cost.

    One file that opens offline: artifacts/report.html in the job's folder. `ferflow run` writes it too. With
    --with-images it holds images of the data set, and is for your own machine alone.
    """
    from pipeline.report import command

    command.main(options.recipe, with_images=options.with_images)


def claims(options: argparse.Namespace) -> None:
    """Write the table of published figures into the README of each recipe that has a claims.yaml, or of one.

    Beside each published figure stands what was measured here, at which size, and whether it holds.
    """
    from pipeline import claims as command

    command.main(options.recipe, check=options.check)


def lint(_: argparse.Namespace) -> None:
    """Check the compiled graphs for what Kubeflow takes without a word and a cluster refuses, or runs wrongly."""
    from pipeline import lint as command

    command.main()


def build(options: argparse.Namespace) -> None:
    """Build the container images of the stages with Docker's BuildKit, and push them where a registry is named.

    Each gets a bill of materials (CycloneDX) in artifacts/sbom. Pushed images are named by their digests in
    infra/images.lock.json, which the compiled graphs take over.
    """
    from pipeline import build as command

    command.main(options.components, options.push, options.accelerator, options.base)


def submit(options: argparse.Namespace) -> None:
    """Run the main job, or a recipe, on the cluster of infra/cluster.yaml.

    Before anything is sent, all is checked that a run would fail of: values, data on the DVC remote, images, lint, the
    server's version. Then it says what will be run, starts the run and, with --wait, shows its tasks until it ends:
    exit code 0 means that every task succeeded. Ctrl-C ends the watching, not the run.
    """
    from pipeline.cluster import submit as command

    command.submit(options.recipe, options.set, options.host, wait=options.wait)


def watch(options: argparse.Namespace) -> None:
    """Show the tasks of a run on the cluster until it ends; exit code 0 means that every task succeeded."""
    from pipeline.cluster import settings
    from pipeline.cluster import watch as command

    command.watch(options.run, settings.read(options.host))


def terminate(options: argparse.Namespace) -> None:
    """End a run on the cluster."""
    from pipeline.cluster import settings
    from pipeline.cluster import watch as command

    command.terminate(options.run, settings.read(options.host))


def schedule(options: argparse.Namespace) -> None:
    """Let a job run on the cluster by itself, as the section schedule of its params.yaml says.

      apply     make the cluster's schedule what params.yaml says; says what differs, does nothing where nothing does
      list      the schedules of all jobs, with their last runs
      pause     start no more runs until ...
      resume    ... this
      delete    remove the schedule; its runs stay

    Each run first looks for the data's version, and ends there where a version was made of the same already.
    """
    from pipeline.cluster import schedule as command
    from pipeline.cluster import settings

    verbs = {"apply": command.apply, "pause": command.pause, "resume": command.resume, "delete": command.delete}
    here = settings.read(options.host)
    if options.verb == "list":
        command.show(here)
    else:
        verbs[options.verb](options.recipe, here)


def models(options: argparse.Namespace) -> None:
    """See the versions of a model, move the champion, and check that all is what it is said to be.

      list               versions: when stored, what the gate said, accuracy on PublicTest, which serves
      show VERSION       where it comes from, what the gate said and why, its moves and its files
      promote VERSION    make it champion; one that is not whole, or that the gate rejects, is always refused
      rollback           make the previous champion the champion again; a second time, this one
      verify [VERSION]   hash it again and follow its lineage to the first broken link (the champion's without VERSION)
      sync               bring the registries up to date; what a killed push or promotion left is completed

    Store, name and registry are those of params.yaml. A push that is repeated never brings a version back that was
    moved away from: promote does. Exit code 1 means that something is refused or broken, 75 that somebody else was
    faster or something cannot be reached: try again.
    """
    from components.fer.errors import UsageError
    from pipeline.models import commands
    from pipeline.models.place import Place
    from pipeline.models.verify import verify

    if options.verb in ("show", "promote") and options.version is None:
        raise UsageError(f"ferflow models {options.verb}: expected a VERSION.\nferflow models list")
    place = Place.of(options.recipe, options.store, options.name, options.registry)
    verbs = {
        "list": lambda: commands.show_all(place),
        "show": lambda: commands.show(place, options.version),
        "promote": lambda: commands.promote(place, options.version, options.reason),
        "rollback": lambda: commands.rollback(place, options.reason),
        "verify": lambda: verify(place, options.version, every=options.all),
        "sync": lambda: commands.sync(place),
    }
    verbs[options.verb]()


def predict(options: argparse.Namespace) -> None:
    """Say which expressions the faces in photos show, by the champion or another version.

    A photo is a JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or PGM file; its faces are found and cropped as those of FER2013
    are. 48 x 48 grey pixels are taken as a face. Every file of the version is hashed first, and one that is not as it
    was stored is refused by name. Exit code 1 where an image has no face or is none; the others are answered.
    """
    from pipeline import predict as command

    place = (options.recipe, options.store, options.name)
    command.main(options.images, *place, options.model_version, options.json)


def serve(options: argparse.Namespace) -> None:
    """Answer over HTTP which expression a face shows, with the champion or another version, until Ctrl-C.

    Speaks KServe's two protocols, V2 (the Open Inference Protocol) and V1; a request has faces of 48 x 48 grey pixels,
    or photos. /metrics is for Prometheus. Every file of the version is hashed before the first answer, and one that is
    not as it was stored is refused by name. A champion that moves later is served after a new start.
    """
    from pipeline import serve as command
    from pipeline.models.place import Place

    place = Place.of(options.recipe, options.store, options.name, None)
    command.main(place, options.model_version, options.host, options.port, options.observations)


def monitor(options: argparse.Namespace) -> None:
    """Compare what a server is asked and answers with what the model was judged on; needs no label.

    Reads what a server noted (components/serve/observations.py), and holds a window of it to PublicTest: brightness,
    contrast, sharpness and clipped pixels of the images; confidence, entropy and expressions of the answers. Where the
    champion's drift, it proposes a retraining in artifacts/monitor/proposal.json, once in the cool-down, and with
    --submit starts it. It never promotes. Exit code 0 with and without drift: drift.json and drift.html say which.
    """
    from pipeline.models.place import Place
    from pipeline.monitor import command

    place = Place.of(options.recipe, options.store, options.name, None)
    look = command.Look(options.hours, options.window, options.cool_down, options.submit, options.host)
    command.main(options.observations, place, options.recipe, options.data, look)


def doctor(_: argparse.Namespace) -> None:
    """Say what this machine has, what is missing for each way of running, and how to get it."""
    from pipeline import doctor as command

    command.report()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser("ferflow", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    top.add_argument("--version", dest="own_version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(metavar="COMMAND")
    names = {
        "run": run,
        "demo": demo,
        "data": data,
        "compile": compile_graphs,
        "compare": compare,
        "report": report,
        "claims": claims,
        "lint": lint,
        "images": build,
        "submit": submit,
        "watch": watch,
        "terminate": terminate,
        "schedule": schedule,
        "models": models,
        "predict": predict,
        "serve": serve,
        "monitor": monitor,
        "doctor": doctor,
    }
    for name, command in names.items():
        text = inspect.cleandoc(command.__doc__ or "")
        raw = argparse.RawDescriptionHelpFormatter
        sub = commands.add_parser(name, help=text.split("\n", 1)[0], description=text, formatter_class=raw)
        sub.set_defaults(command=command)
        if name == "schedule":
            sub.add_argument("verb", choices=("apply", "list", "pause", "resume", "delete"))
        if name == "models":
            sub.add_argument("verb", choices=("list", "show", "promote", "rollback", "verify", "sync"))
            sub.add_argument("version", metavar="VERSION", nargs="?", help="such as 0003-1a2b3c4d")
            sub.add_argument("--all", action="store_true", help="verify every version")
            sub.add_argument("--reason", metavar="TEXT", default="", help="why, for the history of the champion")
            sub.add_argument("--store", metavar="PLACE", help="a folder or gs://BUCKET/PREFIX")
            sub.add_argument("--name", metavar="NAME", help="of the model")
            sub.add_argument("--registry", metavar="ADDRESS", help="one or several, separated by commas")
        if name == "predict":
            sub.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="a photo's file")
            sub.add_argument("--version", dest="model_version", metavar="VERSION", help="such as 0003-1a2b3c4d")
            sub.add_argument("--store", metavar="PLACE", help="a folder or gs://BUCKET/PREFIX")
            sub.add_argument("--name", metavar="NAME", help="of the model")
            sub.add_argument("--json", action="store_true", help="for programs")
        if name == "serve":
            sub.add_argument("--version", dest="model_version", metavar="VERSION", help="such as 0003-1a2b3c4d")
            sub.add_argument("--store", metavar="PLACE", help="a folder or gs://BUCKET/PREFIX")
            sub.add_argument("--name", metavar="NAME", help="of the model")
            everywhere = "0.0.0.0 lets other machines in (default: 127.0.0.1)"
            sub.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help=everywhere)
            sub.add_argument("--port", metavar="PORT", type=int, default=8080, help="0 for any free (default: 8080)")
            kept = "note features and answers there for ferflow monitor; no images"
            sub.add_argument("--observations", metavar="FOLDER", type=Path, help=kept)
        if name == "monitor":
            sub.add_argument("observations", metavar="OBSERVATIONS", type=Path, help="a folder, or one of its files")
            sub.add_argument("--store", metavar="PLACE", help="a folder or gs://BUCKET/PREFIX")
            sub.add_argument("--name", metavar="NAME", help="of the model")
            prepared = "prepared data set (default: the job's artifacts/preprocess/prepared.pickle)"
            sub.add_argument("--data", metavar="PATH", type=Path, help=prepared)
            sub.add_argument("--hours", metavar="N", type=float, default=24, help="to look back (default: 24)")
            sub.add_argument("--window", metavar="N", type=int, default=500, help="images to look at (default: 500)")
            days = "in which the same drift proposes nothing new (default: 7)"
            sub.add_argument("--cool-down", metavar="DAYS", type=float, default=7, help=days)
            sub.add_argument("--submit", action="store_true", help="start what is proposed on the cluster, once")
        if name in ("watch", "terminate"):
            sub.add_argument("run", metavar="RUN", help="its id, which ferflow submit prints")
        if name in ("run", "report", "submit", "schedule", "models", "predict", "serve", "monitor"):
            sub.add_argument("--recipe", metavar="NAME", help="a folder of recipes/ instead of the main job")
        if name in ("run", "demo"):
            sub.add_argument("--force", action="store_true", help="run every stage again")
            sub.add_argument("--docker", action="store_true", help="run every stage in its image, as a trial")
        if name == "demo":
            graphs = ("hybrid", "single", "benchmark")
            sub.add_argument("graph", nargs="?", choices=graphs, default="hybrid", help="which graph (default: hybrid)")
        if name == "data":
            sub.add_argument("source", type=Path, nargs="?", help="fer2013.csv as downloaded; without it, dvc pull")
        if name == "images":
            sub.add_argument("components", metavar="COMPONENT", nargs="*", help="such as validate (default: all)")
            sub.add_argument("--push", metavar="REGISTRY", help="such as europe-docker.pkg.dev/PROJECT/ferflow")
            kinds = ("cpu", "cuda")
            sub.add_argument(
                "--accelerator", choices=kinds, default="cpu", help="what trains and evaluates (default: cpu)"
            )
            sub.add_argument(
                "--base", metavar="IMAGE", help="base image instead of the public one, by any name it has here"
            )
        if name == "submit":
            sub.add_argument(
                "--set",
                metavar="KEY=VALUE",
                action="append",
                default=[],
                help="a value, e.g. training.seed=2; repeatable",
            )
            sub.add_argument("--wait", action="store_true", help="show the tasks until the run ends")
        if name in ("submit", "watch", "terminate", "schedule", "monitor"):
            sub.add_argument("--host", metavar="URL", help="Kubeflow Pipelines there, not that of infra/cluster.yaml")
        if name == "report":
            sub.add_argument("--with-images", action="store_true", help="show faces: not a file to pass on")
        if name == "compare":
            sub.add_argument("recipe", metavar="RECIPE", nargs="?", help="a folder of recipes/ (default: the main job)")
        if name == "claims":
            sub.add_argument("recipe", metavar="RECIPE", nargs="?", help="a folder of recipes/ (default: all)")
        if name in ("compile", "claims"):
            sub.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    return top


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `ferflow` command: exit 0, or the exit code of the error (1, 2 or 75) and its message."""
    top = parser()
    options = top.parse_args(argv)
    if options.own_version:
        from importlib.metadata import version

        sys.stdout.write(f"ferflow {version('ferflow')}\n")
    elif not hasattr(options, "command"):
        top.print_help()
    else:
        try:
            options.command(options)
            sys.stdout.flush()
        except FerflowError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(error.exit_code)
        except BrokenPipeError:
            # Whoever reads has read enough, as `head` does. What is left goes nowhere, or Python would complain of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


if __name__ == "__main__":
    main()
