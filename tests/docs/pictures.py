"""`python -m tests.docs.pictures FOLDER`: makes the guide's pictures anew from a folder that `tracker demo` left.

Needs Chromium. The customers in them are the sandbox's, who do not exist.
"""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from tests.docs.typed import ROOT

IMAGES = ROOT / "docs" / "imagens"
ORDER = "10005"
DELAY = "percebemos um atraso"
_SCREEN = """<meta charset="utf-8"><style>
body {{ margin: 0; background: #1d2430; }}
pre {{ margin: 0; padding: 18px 22px; color: #e3e8f0; font: 14px/1.4 "DejaVu Sans Mono", monospace; }}
b {{ color: #8fd3a5; font-weight: normal; }}
</style><pre><b>$ tracker show {order}</b>
{text}</pre>"""


def show_screen(config: Path) -> str:
    """What `tracker show` prints, as a page."""
    command = [sys.executable, "-m", "tracker", "show", ORDER, "-c", str(config)]
    shown = subprocess.run(
        command, env=os.environ | {"COLUMNS": "100"}, capture_output=True, text=True, check=True
    ).stdout
    return _SCREEN.format(order=ORDER, text=escape(shown))


def delay_mail(mails: Path) -> str:
    """The first mail about a delay, as its reader's program shows it."""
    for path in sorted(mails.glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("html",))
        if DELAY in str(message["Subject"]) and body is not None:
            return str(body.get_content())
    raise SystemExit(f"no mail about a delay in {mails}")


def picture(page: str, target: Path, size: str) -> None:
    """A picture of this page, as wide and high as `size` says (`WIDTH,HEIGHT`)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page, encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/user"]
        options += ["--disable-background-networking", f"--window-size={size}", f"--screenshot={target}"]
        subprocess.run(["chromium", *options, file.as_uri()], check=True, capture_output=True)


def main(folder: Path) -> None:
    IMAGES.mkdir(exist_ok=True)
    picture(show_screen(folder / "config.yaml"), IMAGES / "pedido.png", "880,740")
    picture(delay_mail(folder / "world" / "mail"), IMAGES / "atraso.png", "640,930")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
