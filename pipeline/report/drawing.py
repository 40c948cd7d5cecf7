"""The graph of a run as a picture: pure arithmetic from stages to boxes and curves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from pipeline.report.stages import Stage

HEIGHT, LETTER, LEAST = 78, 8.4, 150
"""of a box, of a letter in it, and the least width of a box, in pixels"""
ACROSS, DOWN = 52, 20
"""between boxes"""
MARGIN = 4


@dataclass(frozen=True)
class Box:
    """Where a stage stands."""

    stage: Stage
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """A picture of `width` by `height` pixels."""

    width: float
    height: float
    box: float
    """width of each box"""
    tall: float
    """height of each box"""
    boxes: tuple[Box, ...]
    curves: tuple[str, ...]
    """paths of SVG, from what is needed to what needs it"""


def draw(stages: Sequence[Stage]) -> Drawing:
    """Stages from left to right, each in the column behind all that it needs.

    An edge that a longer way implies is left out, as in any drawing of this kind (the transitive reduction).
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(stage.name for stage in stages)
    graph.add_edges_from((needed, stage.name) for stage in stages for needed in stage.needs)
    graph = nx.transitive_reduction(graph)
    columns = _columns(graph)
    box = round(max(LEAST, *(LETTER * len(stage.name) + 24 for stage in stages)))
    height = max(len(column) for column in columns) * (HEIGHT + DOWN) - DOWN
    known = {stage.name: stage for stage in stages}
    boxes = {
        name: Box(known[name], MARGIN + place * (box + ACROSS), MARGIN + _top(column, row, height))
        for place, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    width = len(columns) * (box + ACROSS) - ACROSS
    curves = tuple(_curve(boxes[first], boxes[second], box) for first, second in sorted(graph.edges))
    return Drawing(width + 2 * MARGIN, height + 2 * MARGIN, box, HEIGHT, tuple(boxes.values()), curves)


def _columns(graph: nx.DiGraph) -> list[list[str]]:
    """Names by column; in a column each as near as may be to the rows of what it needs."""
    columns: list[list[str]] = []
    rows: dict[str, float] = {}
    for generation in nx.topological_generations(graph):
        column = sorted(generation, key=lambda name: (_mean(rows, graph.predecessors(name)), name))
        rows |= {name: row - (len(column) - 1) / 2 for row, name in enumerate(column)}
        columns.append(column)
    return columns


def _mean(rows: Mapping[str, float], names: Iterable[str]) -> float:
    found = [rows[name] for name in names]
    return sum(found) / max(len(found), 1)


def _top(column: Sequence[str], row: int, height: float) -> float:
    """Upper edge of a box: each column stands in the middle."""
    own = len(column) * (HEIGHT + DOWN) - DOWN
    return (height - own) / 2 + row * (HEIGHT + DOWN)


def _curve(first: Box, second: Box, width: float) -> str:
    left, right = first.x + width, second.x
    start, end = first.y + HEIGHT / 2, second.y + HEIGHT / 2
    middle = right - ACROSS / 2
    return f"M{left:g} {start:g}C{middle:g} {start:g} {middle:g} {end:g} {right:g} {end:g}"
