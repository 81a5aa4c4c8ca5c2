"""Which of six networks run an optimizer inside, and by what does one see it? Draws `mesa.svg`, the picture of docs/mesa.md."""

# %% What are the networks? Compiled optimizers and look-alikes, six layers each, on problems that nobody has seen.
from cutaway.mesa.controls import LeakyRidgePath, RidgeAtOnce, RidgePath
from cutaway.mesa.optimizers import GradientDescent, Momentum, NewtonSchulz
from cutaway.mesa.page.chart import Chart, Curve
from cutaway.mesa.page.page import sheet
from cutaway.mesa.screen import screen
from cutaway.mesa.tasks import Regression
from cutaway.runs import write_text

TASK, LAYERS, SEED = Regression(dim=4, points=12), 6, 7001
NETWORKS = {
    "gradient descent": (GradientDescent(0.3), "optimizer"),
    "momentum": (Momentum(0.3, 0.5), "optimizer"),
    "Newton–Schulz": (NewtonSchulz(0.3), "optimizer"),
    "ridge at once": (RidgeAtOnce(layer=1), "control"),
    "ridge path": (RidgePath(), "control"),
    "leaky ridge path": (LeakyRidgePath(), "control"),
}

# %% What does the verdict say of each, in a random basis?
found = {
    name: screen(kind.compiled(TASK.dim, LAYERS).rotated(SEED, 24), TASK, SEED) for name, (kind, _) in NETWORKS.items()
}
for name, each in found.items():
    print(f"{name}: {each.verdict.label}")


# %% By what? The signs by layer.
def chart(title: str, sign: str, up: str, first: int = 0) -> Chart:
    """One sign of every network, layer by layer."""
    courses = {name: each.battery.readings[sign].course for name, each in found.items()}
    if sign == "composition":  # its last value is of all layers side by side
        courses = {name: course[:-1] for name, course in courses.items()}
    curves = [Curve(name, courses[name], kind, first) for name, (_, kind) in NETWORKS.items()]
    return Chart(title, up, curves, along="layer" if first else "layers run")


charts = [
    chart("Share of novel problems that is solved", "adapting", "solved"),
    chart("Degree of the answer in the data", "degree growth", "degree"),
    chart("Degree that each layer has alone", "composition", "degree", 1),
    chart("Share that is kept of what is written after a layer", "retention", "kept", 1),
]
print(write_text("mesa.svg", sheet(charts)))
