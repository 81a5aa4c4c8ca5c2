"""The dial: networks trained to be readable, their small circuits, and what that costs.

- `transformer`: the one-page network whose every site can be masked, `SparseTransformer(SparseShape(…))`
- `sparse`: layers that hold, compute and train their live weights only, used where they are faster
"""
