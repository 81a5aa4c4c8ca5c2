"""Does a trace find what is known to be there, and nothing else? Networks written by hand, whose used parts are known."""

# %% Which parts are used, by construction, and which does the trace name?
import torch

import cutaway as cw
from cutaway.organisms.compiled import named

for name in ("quote", "bigram", "fact", "majority"):
    organism = named(name)
    net = cw.open(f"organism:{name}")
    prompts, answers, insteads = torch.tensor(organism.prompts), list(organism.answers), list(organism.instead)
    trace = cw.trace(net, cw.Decision(prompts, answer=answers, instead=insteads), nulls=0)
    print(f"{name}: {organism.description}")
    print(f"  known: {', '.join(sorted(organism.used))}")
    print(f"  named: {', '.join(sorted(trace.used))}")

# %% And an untrained network? "Used" is true of its parts too: they do change its output. "Selective" should be empty.
from cutaway.organisms.compiled import untrained  # noqa: E402
from cutaway.organisms.opening import open_compiled  # noqa: E402

organism = untrained(seed=0, like=named("fact"))
decision = cw.Decision(
    torch.tensor(organism.prompts[:1]), answer=list(organism.answers[:1]), instead=list(organism.instead[:1])
)
trace = cw.trace(open_compiled(organism), decision)
print(f"untrained: {len(trace.used)} used, {len(trace.selective)} selective")
