"""Texts as they come through a spreadsheet unchanged: none is run as a formula, and none read as a number, a date or a truth value.

What stands in the way gets an apostrophe before it, as one types it there; `from_cell` takes it away again. The page's own copy
does the same (`ui/static/clipboard.js`).
"""

import re

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "#")
"""With what a cell begins that is taken for a formula (owasp.org/www-community/attacks/CSV_Injection), or for an error of one. An
apostrophe too, so that one that was put before a cell can be told from one that was there."""
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
"""Comes back as it went: it has no more digits than a spreadsheet's numbers have."""
_MONTH = "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)"
# An IPv4 address has more points, and an IPv6 address more colons, than any of these.
_READ_OTHERWISE = re.compile(
    r"[.,]?[0-9][0-9,]*[.,]?[0-9]*(e[+-]?[0-9]+)?%?"  # a number: 007, 1.50, 3E5
    r"|[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{1,4})?"  # a date: 1/2, 2026-01-02
    r"|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[ap]m?)?"  # a time
    rf"|([0-9]{{1,2}}[ /-]?)?{_MONTH}[ /-]?[0-9]{{1,4}}|[0-9]{{1,4}}[ /-]?{_MONTH}"  # MAR1, 3 Jan 2026, 2-Sept
    r"|true|false",
    re.IGNORECASE,
)


def to_cell(text: str) -> str:
    """The text as a cell that a spreadsheet gives back as it is."""
    is_changed = bool(_READ_OTHERWISE.fullmatch(text)) and not _WHOLE_NUMBER.fullmatch(text)
    return f"'{text}" if is_changed or text.startswith(_RUN) else text


def from_cell(cell: str) -> str:
    """The text that `to_cell` made this cell of; any other cell as it is."""
    text = cell[1:]
    return text if cell.startswith("'") and to_cell(text) == cell else cell
