"""The dial: networks trained to be readable, their small circuits, and what that costs.

- `transformer`: the one-page network whose every site can be masked, `SparseTransformer(SparseShape(…))`
- `pressure`: what a training run asks for besides a low loss: top-k weights, regrowth, locality, distillation …
- `train`: `train(network, tokens, Recipe(…), (TopK(…), …))`, resumable, one loop with `cutaway.training`
- `tiny_python`: an endless corpus of small programs over a closed vocabulary, `TinyPython(…)`
- `tasks`: decisions between two next tokens with exact answers, `tasks()` and `task_named(name)`
- `prune`: the small circuit of a task, `prune(network, task, windows)`
- `reading`: a circuit as a table, a picture, and a rule text that is run against the network
- `sparse`: layers that hold, compute and train their live weights only, used where they are faster
"""
