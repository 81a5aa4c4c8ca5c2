"""The frontier of a sweep: validation loss against the size of circuits at each compute budget, and the price of a pressure.

- `frontier`: `frontier(folder, tasks, Settings(…))`, resumable
- `circuits`: a circuit for every network and task; `sizes`: their means, ratios and intervals
- `picture`: one page; `show`: text, tables, a folder
"""
