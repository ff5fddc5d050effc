"""How the log is written: on standard error, uvicorn's records and ours alike, as text or as JSON."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from web.request_log import ACCESS_LOG, REQUEST_ID

_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""Whatever a record quotes stays in its line: nobody can forge another one, nor move the terminal's cursor."""


def set_up_logs(log_format: str, *, access_log: bool) -> None:
    """Write the log in this format from now on; what is less than a warning only of requests, if they are wanted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_formatter() if log_format == "json" else _OneLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(ACCESS_LOG).setLevel(logging.INFO if access_log else logging.WARNING)


class _OneLine(logging.Formatter):
    """One line a record, and below it where an error was raised."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line."""
        request_id = REQUEST_ID.get()
        who = f"{record.name} [{request_id}]" if request_id else record.name
        return f"{_moment(record)} {record.levelname} {who}: {record.getMessage().translate(_CONTROLS)}"


def _json_formatter() -> logging.Formatter:
    # Imported where it is wanted, for a fast start.
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415

    class OneObject(JsonFormatter):
        """One object a record."""

        def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
            super().add_fields(log_data, record, message_dict)
            rest = dict(log_data)
            log_data.clear()
            log_data |= {"time": _moment(record), "level": record.levelname, "logger": record.name}
            if request_id := REQUEST_ID.get():
                log_data["request_id"] = request_id
            log_data |= rest

    return OneObject("%(message)s", reserved_attrs=_RESERVED)


_RESERVED = [*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"]


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
