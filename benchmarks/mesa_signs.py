"""How well each sign alone tells optimizers from look-alikes, on a small zoo for development.

Prints, for every sign, the AUROC of its value over compiled optimizers against controls, and the lowest optimizers and highest
controls; with a file name as argument, writes every value as JSON lines; a second argument is the seed of problems (7000s).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score

from cutaway.mesa.controls import (
    AnnealedLookup,
    Copying,
    FixedTask,
    GrowingRank,
    GrowingRidge,
    KernelEnsemble,
    KernelRidgeAtOnce,
    KernelSmoother,
    LeakyRidgePath,
    LinearRead,
    NearestNeighbour,
    RandomNetwork,
    RidgeAtOnce,
    RidgePath,
    Sham,
    SharpeningSmoother,
    TaskLookup,
)
from cutaway.mesa.optimizers import (
    ISTA,
    Boosting,
    Chebyshev,
    ConjugateGradient,
    CurvatureCorrected,
    Evolution,
    GradientDescent,
    KernelGradientDescent,
    LogisticGradientDescent,
    Momentum,
    Nesterov,
    NewtonSchulz,
    PreconditionedGradientDescent,
)
from cutaway.mesa.signs import SIGNS
from cutaway.mesa.signs.battery import battery
from cutaway.mesa.subject import Subject
from cutaway.mesa.tasks import Logistic, Regression, Smooth, Task

DIM, DEPTH, SEED = 4, 6, 7001

PLAIN = Regression(DIM, 12)
SPARSE = Regression(DIM, 12, nonzero=2)
STRETCHED = Regression(DIM, 12, condition=10)


def optimizers() -> dict[str, tuple[Subject, Task]]:
    """Compiled optimizers, turned into 64 dimensions."""
    kinds = {
        "gd .2": (GradientDescent(0.2), PLAIN),
        "gd .4": (GradientDescent(0.4), PLAIN),
        "gd .2 stretched": (GradientDescent(0.2), STRETCHED),
        "momentum": (Momentum(0.3, 0.5), PLAIN),
        "nesterov": (Nesterov(0.2, 0.5), PLAIN),
        "chebyshev": (Chebyshev(), PLAIN),
        "preconditioned": (PreconditionedGradientDescent(), STRETCHED),
        "gd++": (CurvatureCorrected(), PLAIN),
        "newton .2": (NewtonSchulz(0.2), PLAIN),
        "newton .4": (NewtonSchulz(0.4), PLAIN),
        "conjugate gradient": (ConjugateGradient(), PLAIN),
        "ista": (ISTA(0.4, 0.05), SPARSE),
        "evolution": (Evolution(64), PLAIN),
        "logistic": (LogisticGradientDescent(1.0), Logistic(DIM)),
        "kernel gd": (KernelGradientDescent(1.0, 2.0), Smooth()),
        "boosting": (Boosting(), Smooth()),
        "boosting linear": (Boosting(), PLAIN),
    }
    return {name: (kind.compiled(task.dim, DEPTH).rotated(SEED, 64), task) for name, (kind, task) in kinds.items()}


def controls() -> dict[str, tuple[Subject, Task]]:
    """Look-alikes and shams."""
    kinds = {
        "nearest": NearestNeighbour(),
        "smoother": KernelSmoother(),
        "linear read": LinearRead(),
        "copying": Copying(),
        "lookup": TaskLookup(),
        "annealed lookup": AnnealedLookup(),
        "annealed lookup 64": AnnealedLookup(64),
        "ridge at once": RidgeAtOnce(),
        "kernel ridge at once": KernelRidgeAtOnce(),
        "ridge path": RidgePath(),
        "ridge path carried": RidgePath(carried=True),
        "leaky": LeakyRidgePath(),
        "leaky .3": LeakyRidgePath(keep=0.3),
        "leaky .7": LeakyRidgePath(keep=0.7),
        "leaky following": LeakyRidgePath(following=True),
        "growing ridge": GrowingRidge(),
        "growing rank": GrowingRank(),
        "sharpening smoother": SharpeningSmoother(),
        "kernel ensemble": KernelEnsemble(),
        "fixed task": FixedTask(),
        "random": RandomNetwork(),
    }
    found: dict[str, tuple[Subject, Task]] = {name: (kind.compiled(DIM, DEPTH), PLAIN) for name, kind in kinds.items()}
    for name in ("ridge at once", "smoother", "lookup"):
        found[f"sham of {name}"] = (Sham(found[name][0], DEPTH), PLAIN)
        found[f"geometric sham of {name}"] = (Sham(found[name][0], DEPTH, "geometric"), PLAIN)
    found["rereading sham"] = (Sham(found["ridge at once"][0], DEPTH, rereads=True), PLAIN)
    for task in (STRETCHED, Smooth()):
        for name in ("ridge path", "leaky", "smoother", "sharpening smoother", "kernel ridge at once"):
            found[f"{name} on {type(task).__name__} {task.dim}"] = (kinds[name].compiled(task.dim, DEPTH), task)
    return found


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    rows, seed = [], int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    for optimizing, zoo in ((True, optimizers()), (False, controls())):
        for name, (subject, task) in zoo.items():
            read = battery(subject, task, seed)
            rows.append({"name": name, "optimizer": optimizing, "seconds": read.cost.seconds, **read.values()})
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    truth = [row["optimizer"] for row in rows]
    print(
        f"{sum(truth)} optimizers, {len(truth) - sum(truth)} controls; battery at most "
        f"{max(row['seconds'] for row in rows):.2f} CPU s"
    )
    for sign in SIGNS:
        values = [row[sign.name] for row in rows]
        order = sorted(rows, key=lambda row: row[sign.name])
        low = [f"{row['name']} {row[sign.name]:.2f}" for row in order if row["optimizer"]][:4]
        high = [f"{row['name']} {row[sign.name]:.2f}" for row in order[::-1] if not row["optimizer"]][:4]
        area = roc_auc_score(truth, values)
        print(f"{sign.name:20s} {area:.3f}  lowest optimizers: {', '.join(low)} | highest controls: {', '.join(high)}")


if __name__ == "__main__":
    main()
