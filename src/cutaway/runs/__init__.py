"""A run is a folder: written beside and renamed, resumable shards, progress; knows nothing of the rest."""

from cutaway.runs.engine import Engine, EngineError, InProcess, Processes, engine_of
from cutaway.runs.folder import LEDGER, Run, RunError, new_run, open_run, writing
from cutaway.runs.parquet import load_parquet, save_parquet
from cutaway.runs.progress import Progress, silent, terminal
from cutaway.runs.resume import resumable
from cutaway.runs.table import Table
from cutaway.runs.text import write_text

__all__ = [
    "LEDGER",
    "Engine",
    "EngineError",
    "InProcess",
    "Processes",
    "Progress",
    "Run",
    "RunError",
    "Table",
    "engine_of",
    "load_parquet",
    "new_run",
    "open_run",
    "resumable",
    "save_parquet",
    "silent",
    "terminal",
    "write_text",
    "writing",
]
