"""Which plants the benchmark grows: of each cell until enough took, each once, and no more than it says."""

from typing import Any

from benchmarks import plants


def grown(took: bool) -> list[tuple[Any, ...]]:
    """All that is grown where every plant takes, or none."""
    rows: list[dict[str, Any]] = []
    items: list[tuple[Any, ...]] = []
    while more := plants.missing("MLP", rows):
        items += more
        rows += [
            {"in": name, "held": seed >= plants.HELD, "kind": kind, "strength": strength, "took": took}
            for name, kind, strength, seed in more
        ]
    return items


def test_where_every_plant_takes_there_are_sixty_held_out_and_no_more_than_are_wanted() -> None:
    items = grown(True)
    held = [seed for *_, seed in items if seed >= plants.HELD]
    assert len(held) >= plants.LEAST and len(items) == sum(plants.WANTED[cell[0]] for cell in plants.CELLS)


def test_where_no_plant_takes_seeds_end_and_none_is_drawn_twice() -> None:
    seeds = [seed for *_, seed in grown(False)]
    assert len(seeds) == len(set(seeds)) == plants.TRIES * len({*grown(True)})
