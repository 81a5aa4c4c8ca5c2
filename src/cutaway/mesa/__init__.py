"""Is there an optimizer inside? Networks that certainly run one, look-alikes that do not, and the signs that tell them apart."""
