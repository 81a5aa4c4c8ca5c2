"""The dial: networks trained to be readable, their small circuits, and what that costs.

- `transformer`: the one-page network whose every site can be masked, `SparseTransformer(SparseShape(…))`
- `pressure`: what a training run asks for besides a low loss: top-k weights, regrowth, locality, distillation …
- `train`: `train(network, tokens, Recipe(…), (TopK(…), …))`, resumable, one loop with `cutaway.training`
"""
