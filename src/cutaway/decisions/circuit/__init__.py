"""The circuit behind a decision: which part reads from which, and the checks that the named edges must pass.

graph.py writers, readers, edges · cut.py exact reruns with edges cut · share.py integrated gradients over all edges ·
ways.py how heads' queries, keys and values are made · find.py screen, exact, audit, joint search · checks.py sufficient,
necessary, minimal, and their power · circuit.py all of it in order.
"""
