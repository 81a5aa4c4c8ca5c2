"""Published findings, measured again at a small size: regression tests of the signs' foundations."""
