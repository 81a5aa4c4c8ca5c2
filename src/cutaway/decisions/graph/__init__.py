"""The graph behind a decision: who writes to the residual stream and who reads it, as finely as asked.

graph.py writers, readers, edges · parts.py what these are · seen.py where the stream is read · split.py how a site comes
apart into members · refine.py neurons, features, components as nodes of their own · components.py rank-one parts of a matrix ·
ways.py how heads' queries, keys and values are made · zeros.py edges that cannot carry anything · zoom.py where to look closer.
"""
