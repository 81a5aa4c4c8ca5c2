"""What a study has cost: the ledgers of its runs, read together, against what training cost."""

from cutaway.study.cost.books import Book, CostError, Study, study
from cutaway.study.cost.page import page
from cutaway.study.cost.prices import Declared, Prices
from cutaway.study.cost.report import Costs, costs, record
from cutaway.study.cost.show import printed

__all__ = ["Book", "CostError", "Costs", "Declared", "Prices", "Study", "costs", "page", "printed", "record", "study"]
