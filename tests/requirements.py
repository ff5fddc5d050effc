"""What the tests need that Python's packages do not bring; README.md and .ci/run install the same."""

PACKAGES = (
    *(
        "chromium",
        "postgresql",
        "nginx",
        "caddy",
        "curl",
        "openssl",
        "faketime",
        "pgbouncer",
        "desktop-file-utils",
        "xvfb",
        "prometheus",
        "systemd",
    ),
    # What Qt's windows need, for --native, beside what Chromium needs too
    *("libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0", "libxcb-xinerama0"),
    *("libxkbcommon-x11-0", "libegl1", "libnss3", "libasound2"),
)

INSTALL_HINT = f"needs Debian's packages: apt-get install -y {' '.join(PACKAGES)}"
"""The reason with which a test is skipped when a program is missing."""
