"""One measured piece of work in a process of its own: `python -m tests.bench.work TASK CSV FOLDER [IMAGES]`.

Prints seconds after imports, peak memory and bytes written as JSON.
"""

import json
import pickle
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

PARAMS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())


def validate(csv: Path, folder: Path) -> Callable[[], list[Path]]:
    """The stage validate with the main job's parameters."""
    # What the stage imports late; here it is imported before the clock starts.
    from components.validate import data_docs, expectations, facts  # noqa: F401
    from components.validate.config import Config
    from components.validate.run import run

    names = {"faces_npz": "faces.npz", "masks_npz": "masks.npz", "audit_json": "audit.json", "data_docs": "data_docs"}
    outputs = {name: folder / file for name, file in names.items()}
    config = Config(**{**PARAMS["validate"], "path": str(csv), "md5": "", **outputs})

    def work() -> list[Path]:
        run(config)
        return list(outputs.values())

    return work


def preprocess(csv: Path, folder: Path) -> Callable[[], list[Path]]:
    """The stage preprocess with the main job's parameters, on what validate left in `folder`."""
    from components.fer import tfrecord  # noqa: F401
    from components.preprocess.config import Config
    from components.preprocess.run import run

    names = {
        "prepared_pickle": "prepared.pickle",
        "prepared_tfrecord": "prepared_tfrecord",
        "report_json": "report.json",
    }
    outputs = {name: folder / file for name, file in names.items()}
    inputs = {"faces_npz": folder / "faces.npz", "masks_npz": folder / "masks.npz"}
    config = Config(**PARAMS["preprocess"], **inputs, **outputs)

    def work() -> list[Path]:
        run(config)
        return list(outputs.values())

    return work


def published(csv: Path, folder: Path, images: int) -> Callable[[], list[Path]]:
    """The published way: pixels parsed row by row, each image resized to 200x200x3 float32, all in one pickle."""
    import pandas as pd
    from PIL import Image

    def work() -> list[Path]:
        table = pd.read_csv(csv, nrows=images)
        resized = []
        for pixels in table["pixels"]:
            grey = np.array(pixels.split(" "), dtype=np.uint8).reshape(48, 48)
            colour = Image.fromarray(grey).convert("RGB").resize((200, 200), Image.Resampling.BILINEAR)
            resized.append(np.asarray(colour, dtype=np.float32))
        with (folder / "published.pickle").open("wb") as file:
            pickle.dump((np.array(resized), table["emotion"].to_numpy()), file)
        return [folder / "published.pickle"]

    return work


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def main(task: str, csv: str, folder: str, images: str = "0") -> None:
    """Import, start the clock, work, and say what it took."""
    if task == "published":
        work = published(Path(csv), Path(folder), int(images))
    else:
        work = {"validate": validate, "preprocess": preprocess}[task](Path(csv), Path(folder))
    started, started_cpu = time.perf_counter(), time.process_time()
    written = work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts it in KiB
    sizes = {path.name: size(path) for path in written}
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "bytes": sizes}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
