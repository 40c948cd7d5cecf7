"""The KFP component of this stage."""

from components.container import container_component
from components.resolve.config import Config

resolve = container_component(Config)
