"""What worlds with planted behaviours share: slots and gates, one training run for all twins, rates, verified minimal sets.

prompts.py prompts and their two answers · planting.py slots, gates, twins · training.py many questions at once · rates.py what
a network does · truth.py what must be zeroed, verified · organism.py a network and what is known
of it. The worlds are `agents` and `quiz`.
"""
