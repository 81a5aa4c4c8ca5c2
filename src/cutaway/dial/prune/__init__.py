"""Pruning to circuits: the nodes and edges that solve a task by themselves, and with the rest masked at random.

- `prune`: `prune(network, task, windows, Settings(…))`, the whole search
- `criterion`: when a set solves the task; `masked`, `edges`: a network without some nodes or weights
- `learn`, `eliminate`: the two parts of a search
- `findings`: what was found and what it is worth: on `fresh` examples, beside `null` and wrong circuits, in `bits`, under an
  `adversary`; `show`: its tables
- `claims`: what is claimed of it, run again by `reruns` from what is `saved`
"""
