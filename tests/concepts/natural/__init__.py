"""Natural-latent scores, on networks of which the answer is written into the weights."""
