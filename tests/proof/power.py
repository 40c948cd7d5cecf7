"""How often the gate promotes: exactly, by summing over all outcomes, and by simulation where that is to be believed.

    python -m tests.proof.power [--draws 1000] [--seed 1]

Two models are compared on the images of PublicTest by the rules of params.yaml. They disagree on a share of the images
that is measured: that of the main job's hybrid and its backbones (results/evaluate/metrics.json), and twice that share,
since models of separate trainings are less alike. The exact table goes into docs/evaluation.md, between its markers.
The A/A simulation draws pairs of equally good models; exit code 1 where more are promoted than alpha and chance allow.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import stats

from components.fer.metrics import mcnemar
from components.model_store.records import Paired, Rule, Rules
from components.push_model import gate
from components.push_model.config import Config

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "evaluation.md"
BEGIN, END = "<!-- power: written by python -m tests.proof.power -->\n", "<!-- power: end -->\n"
IMAGES = 3589
RULES: tuple[Rule, ...] = ("superiority", "non_inferiority")
DIFFERENCES = (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0)
"""candidate less champion, in points of accuracy"""


def rules(rule: Rule) -> Rules:
    """The rules of params.yaml, with another rule against the champion."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())["registry"]
    return replace(Config.model_construct(**values).rules(), rule=rule)


def disagreement() -> float:
    """The greatest share of PublicTest images that exactly one of the hybrid and a backbone gets right."""
    metrics = json.loads((ROOT / "results" / "evaluate" / "metrics.json").read_text())
    shares = [(branch["gained"] + branch["lost"]) / metrics["public"]["n"] for branch in metrics["branches"].values()]
    return float(max(shares))


@cache
def promoted(gained: int, lost: int, asked: Rules) -> bool:
    """Whether the gate's paired rule promotes a candidate that gained and lost so many of `IMAGES`."""
    better, worse = (mcnemar.one_sided(wins, losses) for wins, losses in ((gained, lost), (lost, gained)))
    counts = Paired(IMAGES, gained, lost, gained, lost, better, worse)
    return gate.decision((), gate.against_champion(counts, asked), worse <= asked.alpha) == "PROMOTE"


@cache
def least_gained(discordant: int, asked: Rules) -> int:
    """The least number gained of so many discordant images that is promoted; it is by bisection, as more is better."""
    low, high = 0, discordant + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if promoted(middle, discordant - middle, asked) else (middle + 1, high)
    return low


def power(difference: float, share: float, asked: Rules) -> float:
    """Probability of promotion where the candidate is better by `difference` points, and `share` of images discordant.

    Summed over the number of discordant images, but for those less likely than 1e-12 together, and of them gained.
    """
    gained = (1 + difference / 100 / share) / 2
    discordant = np.arange(*stats.binom.interval(1 - 1e-12, IMAGES, share), dtype=np.int64)
    least = np.array([least_gained(int(count), asked) for count in discordant])
    return float(stats.binom.pmf(discordant, IMAGES, share) @ stats.binom.sf(least - 1, discordant, gained))


def simulated(difference: float, share: float, asked: Rules, draws: int, seed: int) -> NDArray[np.bool_]:
    """Whether each of so many pairs of models, drawn image by image, is promoted: (draws,)."""
    half = difference / 200
    odds = (share / 2 + half, share / 2 - half, 1 - share)
    outcomes = np.random.default_rng(seed).multinomial(IMAGES, odds, size=draws)
    return np.array([promoted(int(gained), int(lost), asked) for gained, lost, _ in outcomes])


def table() -> Iterator[str]:
    """The lines of the block in docs/evaluation.md."""
    measured = disagreement()
    asked = {rule: rules(rule) for rule in RULES}
    shares = (measured, 2 * measured)
    yield (
        "| candidate better by, points | "
        + " | ".join(f"{rule.replace('_', '-')}, {100 * share:.1f} % disagree" for rule in asked for share in shares)
        + " |\n"
    )
    yield "|---:|" + "---:|" * 4 + "\n"
    for difference in DIFFERENCES:
        cells = (100 * power(difference, share, wanted) for wanted in asked.values() for share in shares)
        yield f"| {difference:+g} | " + " | ".join(f"{cell:.1f} %" for cell in cells) + " |\n"


def written(page: str) -> str:
    """The page with the block written again."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{''.join(table())}\n{END}{after}"


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)  # noqa: T201


def simulate(draws: int, seed: int) -> bool:
    """Print promotions where none is due, beside the exact probability; whether they are as few as promised.

    The bound is alpha and three standard errors of so many draws.
    """
    kept = True
    for rule in RULES:
        asked = rules(rule)
        difference = 0.0 if rule == "superiority" else -asked.margin
        bound = asked.alpha + 3 * np.sqrt(asked.alpha * (1 - asked.alpha) / draws)
        for share in (disagreement(), 2 * disagreement()):
            found = float(simulated(difference, share, asked, draws, seed).mean())
            kept &= found <= bound
            say(
                f"{rule}, {100 * share:.1f} % disagree, true difference {difference:+g} points: "
                f"{100 * found:.1f} % of {draws:,} promoted, exactly {100 * power(difference, share, asked):.2f} %, "
                f"alpha {100 * asked.alpha:g} %"
            )
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000, help="pairs of models to draw (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (default: 1)")
    arguments = parser.parse_args()
    PAGE.write_text(written(PAGE.read_text()))
    say(f"wrote the table in {PAGE.relative_to(ROOT)}")
    kept = simulate(arguments.draws, arguments.seed)
    say("PASS: promotions of no better models at most alpha" if kept else "FAIL: more promotions than alpha allows")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
