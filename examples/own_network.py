"""Which sub-models does a network of my own use? A small classifier in plain torch, with no blocks and no tokenizer."""

# %% A network: is exactly one of the first two inputs on? The other two inputs mean nothing.
import torch
from torch import nn

import cutaway as cw

generator = torch.Generator().manual_seed(0)
inputs = torch.randint(0, 2, (512, 4), generator=generator).float()
labels = (inputs[:, 0] != inputs[:, 1]).long()
torch.manual_seed(0)
module = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
for _ in range(200):
    optimizer.zero_grad()
    nn.functional.cross_entropy(module(inputs), labels).backward()
    optimizer.step()

# %% Which layers does it use? The reference is what stands in for a part that is taken away.
net = cw.open(module, reference=inputs[:256])
decision = cw.Decision(inputs[256:][labels[256:] == 1], answer=1, instead=0)
print(cw.trace(net, decision))

# %% Which channels of the first layer?
channels = cw.catalogue(net, ["channels"])
first = [name for name in channels["submodel"] if name.startswith("path.0:")]
trace = cw.trace(net, decision, first, nulls=0)
print(trace)

# %% And without those that it uses?
print(cw.without(net, decision, trace.used))
