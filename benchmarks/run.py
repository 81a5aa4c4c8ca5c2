"""Measures the figures of docs/results.md: `python benchmarks/run.py` for all, or NAME… for some.

What takes many networks (`statistics`, `circuits`, …: see ON_REQUEST) runs only when named. What was measured with the
code as it is now is kept, and a killed run goes on where it stopped; `--fresh` measures again. One thread; the budget is
printed first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
# This folder is imported as a package: its own modules must not stand in for others of the same name.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse  # noqa: E402
import gc  # noqa: E402
from importlib import import_module  # noqa: E402
from types import ModuleType  # noqa: E402

FILES = {
    "sweep": "sweep",
    "last_position": "last_position",
    "qwen": "qwen",
    "generic": "generic",
    "dispatch": "dispatch",
    "attribution": "attribution",
    "organisms": "organisms",
    "demo": "demo",
    "statistics": "error_rates",
    "circuit_cost": "circuit_cost",
    "circuit_exact": "circuit_exact",
    "circuits": "circuits",
    "circuit_interchange": "circuit_interchange",
    "circuit_groups": "circuit_groups",
    "circuit_decoys": "circuit_decoys",
    "circuit_adversary": "circuit_adversary",
    "circuit_stability": "circuit_stability",
    "circuit_growth": "circuit_growth",
    "circuit_claims": "circuit_claims",
    "agents": "agents",
    "concepts_read": "concepts_read",
    "concepts_match": "concepts_match",
    "concepts_natural": "concepts_natural",
    "agree": "agree",
    "agree_code": "agree_code",
    "concept_decisions": "concept_decisions",
    "concept_places": "concept_places",
    "concept_knowledge": "concept_knowledge",
    "code_concepts": "code_concepts",
    "code_match": "code_match",
    "code_pair": "code_pair",
    "diff": "diff",
    "reader": "reader",
    "half_billion": "half_billion",
    "plants": "plants",
    "dial_overhead": "dial_overhead",
    "dial_sparse": "dial_sparse",
    "dial_planted": "dial_planted",
    "dial_nulls": "dial_nulls",
    "dial_trained_nulls": "dial_trained_nulls",
    "dial_circuits": "dial_circuits",
    "dial_price": "dial_price",
    "dial_lower": "dial_lower",
    "dial_rules": "dial_rules",
    "ledger_meter": "ledger_meter",
    "ledger_scaling": "ledger_scaling",
    "ledger_growth": "ledger_growth",
    "mesa_compiled": "mesa_compiled",
    "mesa_trained": "mesa_trained",
    "mesa_limits": "mesa_limits",
    "mesa_zoo": "mesa_zoo",
    "mesa_taught": "mesa_taught",
    "mesa_dial": "mesa_dial",
    "mesa_steps": "mesa_steps",
    "mesa_language": "mesa_language",
    "mesa_pretraining": "mesa_pretraining",
}
LONG = (
    "statistics",
    "agents",
    "agree",
    "agree_code",
    "code_match",
    "code_pair",
    "concept_decisions",
    "concepts_match",
    "diff",
    "plants",
    "reader",
    "half_billion",
    "dial_planted",
    "dial_nulls",
    "dial_trained_nulls",
    "dial_circuits",
    "dial_price",
    "dial_lower",
    "dial_rules",
    "ledger_growth",
    "mesa_compiled",
    "mesa_trained",
    "mesa_limits",
    "mesa_zoo",
    "mesa_taught",
    "mesa_dial",
    "mesa_steps",
    "mesa_language",
    "mesa_pretraining",
)
ON_REQUEST = tuple(
    name
    for name in FILES
    if name in LONG or (name.startswith("circuit") and name not in ("circuit_cost", "circuit_exact"))
)


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; status 1 if a benchmark could not run."""
    asked = parser().parse_args(arguments)
    names = asked.names or [name for name in FILES if name not in ON_REQUEST]
    import torch

    torch.set_num_threads(1)
    modules = {name: import_module(f"benchmarks.{FILES[name]}") for name in names}
    print_budget(modules)
    if asked.budget:
        return 0
    failed = [name for name, module in modules.items() if not one(name, module, asked.repetitions, asked.fresh)]
    from benchmarks.report import write

    print(f"written: {write()}")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("names", nargs="*", choices=[[], *FILES], metavar="NAME", help=", ".join(FILES))
    found.add_argument("--fresh", action="store_true", help="measure again what is there")
    found.add_argument("--repetitions", type=int, default=3, help="rounds of each timed setting (default 3)")
    found.add_argument("--budget", action="store_true", help="only say how long it would take")
    return found


def print_budget(modules: dict[str, ModuleType]) -> None:
    """About how long each takes at three rounds, if nothing is kept."""
    for name, module in modules.items():
        print(f"{name:14} about {module.MINUTES:4.1f} min of one core")


def one(name: str, module: ModuleType, repetitions: int, fresh: bool) -> bool:
    """One benchmark; an error is printed and the others go on."""
    from benchmarks.kept import Kept

    print(f"{name}:", flush=True)
    try:
        module.measure(Kept(name, module.DEPENDS, fresh), repetitions)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{name} could not run: {error}", file=sys.stderr)
        return False
    finally:
        gc.collect()
    return True


if __name__ == "__main__":
    sys.exit(main())
