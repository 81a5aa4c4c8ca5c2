"""For every test: shapes and types of the package are checked, one thread, no chatter from transformers."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
install_import_hook("cutaway", "beartype.beartype")

import torch  # noqa: E402

torch.set_num_threads(1)  # networks of a few thousand weights are slower on two threads
