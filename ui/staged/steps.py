"""What a window does to what is staged: one step after the other, in the order in which they were made."""

from collections.abc import Awaitable, Callable

Step = Callable[[], Awaitable[object]]
Do = Callable[[Step], Awaitable[None]]
"""Takes a step of a window, after every one before it"""
