"""Which part reads from which when the code model closes a string? A circuit, the checks that it must pass, and its picture."""

# %% Ten prompts; in each matched one the quote alone differs, and so does the right answer.
import cutaway as cw
from cutaway.study import picture

names = ["abc", "left", "dog", "home", "key", "file", "red", "tmp", "all", "end"]
decision = cw.Decision(
    [f"x = '{name}" for name in names], answer="'", instead='"', counterfactual=[f'x = "{name}' for name in names]
)
net = cw.open("organism:code")
trace = cw.trace(net, decision, edges=True, nulls=0)
assert trace.circuit is not None
print(trace)

# %% Is it the whole story? And how many wrong sets would have passed the same check?
print(trace.circuit.verdict)
print(trace.circuit.power)

# %% Which of its links live only under another stand-in, and would other prompts have named the same ones?
print(trace.circuit.others.head(8))
print(trace.circuit.stability)

# %% What can others run again? Every used link is a claim, on prompts that the trace never saw.
fresh = ["one", "two", "map", "box", "car", "sun", "arg", "row", "num", "ids"]
again = cw.Decision(
    [f"y = ['{name}" for name in fresh], answer="'", instead='"', counterfactual=[f'y = ["{name}' for name in fresh]
)
print(cw.verify(net, cw.decisions.claims_of(trace), again).head(8))

# %% And to look at.
print(cw.page(trace, "study/closing_circuit.html"))
print(picture(trace, "study/closing_circuit.svg"))
