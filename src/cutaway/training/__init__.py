"""One small transformer on one page, corpora, one training loop; the Pressure protocol.

- `transformer`: the network, `Transformer(Shape(…))`
- `corpus`: texts to train on, the standard library's sources by default
- `tokenizer`: byte pairs, with every quote and bracket a token of its own
- `windows`: which pieces of a stream of tokens make a batch
- `loop`: `train(network, tokens, Recipe(…))`, resumable through `checkpoint`
- `pressure`: what a run asks for besides a low loss
- `export`: a folder in our format or in Hugging Face's
"""
