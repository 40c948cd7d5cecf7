"""The KFP component of this stage."""

from components.container import container_component
from components.tfx_check.config import Config

tfx_check = container_component(Config)
