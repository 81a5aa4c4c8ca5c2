"""The circuit behind a decision: which part reads from which, and the checks that the named edges must pass.

cut.py exact reruns with edges cut · kept.py their effects on disk · fewer_rows.py in less memory · share.py integrated
gradients over all edges · halves.py examples that choose and examples that report · find.py screen, exact, audit, joint
search · waking.py backups told from redundant parts · decoys.py selective edges · checks.py sufficient, necessary,
minimal, and their power · repair.py what a failed check adds · others.py the mean and zero beside · stability.py other
examples · walk.py, placed.py the steps by position · tables.py, circuit.py all of it in order.
"""
