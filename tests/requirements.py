"""What the tests need that Python's packages do not bring."""

INSTALL_HINT = "needs Debian's packages: apt-get install -y chromium postgresql nginx"
"""The reason with which a test is skipped when a program is missing."""
