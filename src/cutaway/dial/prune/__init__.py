"""Pruning to circuits: the nodes and edges that solve a task by themselves, and with the rest masked at random.

- `prune`: `prune(network, task, windows, Settings(…))`, the whole search
- `criterion`: when a set solves the task; `masked`, `edges`: a network without some nodes or weights
- `learn`, `eliminate`: the two parts of a search
- `adversary`, `null`: what a circuit is held against
- `show`: what was found, as tables
"""
