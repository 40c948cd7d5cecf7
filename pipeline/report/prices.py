"""infra/prices.yaml: what a machine costs an hour."""

from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from pipeline import strict_yaml
from pipeline.desk import ROOT
from pipeline.placement import Pool
from pipeline.strict_yaml import Entry

PRICES = ROOT / "infra" / "prices.yaml"


class Prices(Entry):
    """All of infra/prices.yaml."""

    currency: str
    as_of: date
    region: str
    on_demand: dict[str, Annotated[float, Field(ge=0)]]
    """of an hour, by type of machine"""
    spot_share: Annotated[float, Field(ge=0, le=1)]
    """of a spot machine at most, as a share of the price on demand"""

    @classmethod
    def read(cls, path: Path = PRICES) -> Self:
        """Read and check the table. Raises `InputError` where it is malformed."""
        return strict_yaml.read(cls, path, "prices")

    def per_hour(self, pool: Pool) -> float | None:
        """Price of an hour on a machine of the pool; none where the table has no such machine."""
        price = self.on_demand.get(pool.machine_type)
        return price * self.spot_share if price is not None and pool.spot else price
