"""The KFP component of this stage."""

from components.container import container_component
from components.train_backbone.config import Config

train_backbone = container_component(Config)
train_backbone_further = container_component(Config, having=("start_keras",))
train_backbone_taught = container_component(Config, having=("teacher_keras",))
