"""How the shipped library is made from its sources: `python -m cutaway.concepts.making RAW_FOLDER NEW_FOLDER`."""
