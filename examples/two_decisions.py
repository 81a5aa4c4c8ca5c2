"""Do closing a quote and closing a bracket use the same sub-models?"""

# %% Take both decisions apart, and keep them.
import cutaway as cw

net = cw.open("organism:code")
asked = {
    "quote": cw.Decision("x = ['a', 'b", answer="'", instead='"'),
    "bracket": cw.Decision("x = (1, 2", answer=")", instead="]"),
}
traces = {name: cw.trace(net, decision) for name, decision in asked.items()}
for name, trace in traces.items():
    cw.save(trace, f"study/{name}", overwrite=True)

# %% What differs? One row a part, largest difference first. Effects are in the units of each decision.
print(cw.compare(["study/quote", "study/bracket"]).head(10))

# %% Which parts do both use?
both = [part for part in traces["quote"].used if part in traces["bracket"].used]
print(f"used by both: {', '.join(both) or 'none'}")

# %% Do the strongest parts of one matter to the other? The same number of random parts stands beside them.
from cutaway.submodels import random_parts  # noqa: E402

strongest = traces["quote"].used[:3]
everyone = [row["part"] for row in traces["quote"].nodes if row["within"] is None]
for what in (strongest, random_parts(net, everyone, len(strongest), seed=0)):
    print(cw.without(net, asked["bracket"], what, tokens=0))
