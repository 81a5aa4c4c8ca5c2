"""One self-contained HTML page of a trace, a rerun or matches, and one picture of a trace: no network, no fonts, no library."""

from cutaway.study.page.picture import picture
from cutaway.study.page.write import page

__all__ = ["page", "picture"]
