"""Store a model as an immutable version and promote it when it is better than the champion."""
