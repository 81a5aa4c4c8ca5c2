"""The dial: networks trained to be readable, their small circuits, and what that costs.

- `transformer`: the one-page network whose every site can be masked, `SparseTransformer(SparseShape(…))`
- `pressure`: what a training run asks for besides a low loss: top-k weights, regrowth, locality, distillation …
- `train`: `train(network, tokens, Recipe(…), (TopK(…), …))`, resumable, one loop with `cutaway.training`
- `tiny_python`: an endless corpus of small programs over a closed vocabulary, `TinyPython(…)`
- `tasks`: decisions between two next tokens with exact answers, `tasks()` and `task_named(name)`
- `prune`: the small circuit of a task, `prune(network, task, windows)`
- `plan`, `store`: a run from its plan, `carried_out(Plan("tiny", 128, …))`; its network as a folder, which `cutaway.open` opens
- `sweep`: `sweep(Grid(widths=…, pressures=…, tokens=…, seeds=…), folder)`, resumable, every run metered
- `frontier`: loss against the size of circuits over a sweep, `frontier(folder)`, and a picture of it
- `price`: how many times the compute a pressure needs for the same loss, `price(rows, pressure)`; `published`: beside others'
- `setting`, `resampling`: the runs that differ in their seed alone, and intervals from few of them
- `reading`: a circuit as a table, a picture, and a rule text that is run against the network
- `planted`: networks into which a circuit is compiled, so that what a pruner finds can be checked
- `sparse`: layers that hold, compute and train their live weights only, used where they are faster, in training too
- `origin`: a network that a run begins or learns from, held against it, with what it took
"""
