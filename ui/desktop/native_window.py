"""A window of its own: a program for itself, because the window system wants its process's main thread.

`ui.desktop.opening.show_window` starts it. It imports nothing of the console, so that it is there fast and holds little.
"""

import os
import sys
import threading

TITLE = "API Authorization Keys"


def main() -> None:
    """Open a window on the address that standard input names; close it when standard input ends, with the server."""
    address = sys.stdin.readline().strip()
    import webview  # noqa: PLC0415 - the optional extra `native`

    webview.settings["ALLOW_DOWNLOADS"] = True
    window = webview.create_window(TITLE, address, width=1360, height=860, min_size=(390, 600))

    def close_with_the_server() -> None:
        os.read(0, 1)  # not sys.stdin, whose lock a waiting thread would hold when the interpreter ends
        window.destroy()

    threading.Thread(target=close_with_the_server, daemon=True).start()
    # Qt is what the extra brings for Linux; pywebview would complain first that it has no GTK.
    webview.start(gui="qt" if sys.platform.startswith("linux") else None)


if __name__ == "__main__":
    main()
