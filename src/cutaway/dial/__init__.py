"""The dial: networks trained to be readable, their small circuits, and what that costs.

- `transformer`: the one-page network whose every site can be masked, `SparseTransformer(SparseShape(…))`
- `tiny_python`: an endless corpus of small programs over a closed vocabulary, `TinyPython(…)`
- `tasks`: decisions between two next tokens with exact answers, `tasks()` and `task_named(name)`
"""
