"""What submissions are about: each subject has rows with privileges, a grid, and staged changes of its own."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Subject(StrEnum):
    """A kind of rows whose privileges change by submissions."""

    AUTHKEY = "authkey"
    PASSPHRASE = "passphrase"


class Row(Protocol):
    """What changes can be staged for and submitted to: an authkey, or a pickup passphrase."""

    @property
    def subject(self) -> Subject:
        """What kind of row this is."""

    @property
    def id(self) -> int:
        """Its number; unique within its subject."""

    @property
    def ip(self) -> str:
        """The address that it belongs to; empty for a passphrase."""

    @property
    def service(self) -> str:
        """How the record names it, beside the address."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def privileges(self) -> int:
        """The set of privileges that is stored."""

    @property
    def revision(self) -> int:
        """The newest submission that touched it."""

    @property
    def removed(self) -> bool:
        """Whether it is out of force, and only kept on record."""

    def texts(self, now: datetime) -> Mapping[str, str]:
        """What its grid shows of it beside the boxes. The names are fixed words."""
