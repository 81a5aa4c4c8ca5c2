"""What a verdict looks at: a few numbers out of everything that the signs read."""

from __future__ import annotations

from dataclasses import dataclass

from cutaway.mesa.signs.battery import Battery


@dataclass(frozen=True)
class Evidence:
    """A network's values of the signs that the verdict rests on.

    `leap` is the decimal logarithm of a share. `degree` is that of the answer as a polynomial of the data; `read_over`
    the layers over which labels are read; `degrees` and `steps` are by layer, the latter in steps of gradient descent; `alike` the
    optimizers whose path is nearest, step for step.
    """

    adapting: float
    improving: float
    composition: float
    familiarity: float
    degree: float
    read_over: float
    leap: float
    degrees: tuple[float, ...] = ()
    steps: tuple[float, ...] = ()
    alike: tuple[str, ...] = ()

    @property
    def several(self) -> float:
        """Layers that improve the answer or read the labels, whichever are more."""
        return max(self.improving, self.read_over)

    @classmethod
    def of(cls, battery: Battery) -> Evidence:
        """The evidence in a battery."""
        value, degrees = battery.values(), battery.readings["degree growth"].course
        return cls(
            value["adapting"],
            value["improving layers"],
            value["composition"],
            value["familiarity"],
            degrees[-1],
            value["label splice"],
            value["beyond a leap"],
            degrees,
            battery.readings["gradient steps"].course,
            battery.alike,
        )
