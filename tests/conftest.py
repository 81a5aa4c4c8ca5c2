"""For every test: shapes and types of network, submodels and pruning are checked, one thread, no chatter from transformers."""

import builtins
import os
from pathlib import Path

from jaxtyping import install_import_hook

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
install_import_hook(
    ["cutaway.network", "cutaway.submodels", "cutaway.dial.prune", "cutaway.dial.transformer"], "beartype.beartype"
)

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from tests.command import Command, Ended  # noqa: E402

LONG = ("test_readme.py", "test_examples.py", "test_cli.py")
torch.set_num_threads(1)  # networks of a few thousand weights are slower on two threads


def pytest_configure(config: pytest.Config) -> None:
    """The checks look at random items of long lists, which Hypothesis would otherwise complain of."""
    config.addinivalue_line("filterwarnings", "ignore:Do not use the .random. module inside strategies")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, or one worker ends with it alone."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, in an empty folder."""
    from cutaway.cli import run

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUTAWAY_DEBUG", raising=False)

    def ended(*tokens: str) -> Ended:
        capfd.readouterr()
        status = run(tokens)
        return Ended(status, *capfd.readouterr())

    return ended


@pytest.fixture
def no_tokenizers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package tokenizers is not installed."""
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("tokenizers"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


# A busy machine draws examples slowly: that is no failure. The same examples every time: seeds are fixed.
settings.register_profile("patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
