"""The KFP component of this stage."""

from components.container import container_component
from components.train_hybrid.config import Config

train_hybrid = container_component(Config)
