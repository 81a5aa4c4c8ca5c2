"""Which sub-models of the code model close a string with the right quote, and what does it write without them?"""

# %% Which parts did this decision use?
import cutaway as cw

net = cw.open("organism:code")
decision = cw.Decision("x = 'abc", answer="'", instead='"')
trace = cw.trace(net, decision)
print(trace)

# %% Does the answer change without the two strongest?
rerun = cw.without(net, decision, trace.used[:2])
print(rerun)

# %% Is it the quote that they carry? A prompt that differs in the quote alone stands in for them.
matched = cw.Decision("x = 'abc", answer="'", instead='"', counterfactual='x = "abc')
print(cw.without(net, matched, trace.used[:2]))

# %% What can be shown to others? A page, a picture, a run that opens again, the sources.
from cutaway.study import picture  # noqa: E402

print(cw.save(trace, "study/quote", overwrite=True))
print(cw.page(trace, "study/quote.html"))
print(picture(trace, "study/quote.svg"))
print(cw.cite(trace))
