"""The mail catcher: SMTP on one port, a page and JSON on another (`suite/local/catcher/`)."""

from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, answers


class MailCatcher(Part):
    """`port` is SMTP; the page and the JSON are at `url`. Messages stay in the folder across restarts.

    `reply_port`: where the portal takes guests' answers; with it the page can send some.
    """

    name = "mailcatcher"
    title = "La boîte aux lettres"
    advice = "Donnez EMAIL_HOST et EMAIL_PORT pour utiliser un serveur de courriel existant."

    def __init__(self, folder: Path, port: int, *, page_port: int, reply_port: int = 0) -> None:
        super().__init__(folder, port)
        self.page_port = page_port
        self.reply_port = reply_port

    @property
    def url(self) -> str:
        return f"http://localhost:{self.page_port}"

    def command(self) -> list[str]:
        return [
            *(str(places.venv_python()), "-m", "suite.local.catcher"),
            *("--folder", str(self.folder / "mail"), "--smtp-port", str(self.port), "--page-port", str(self.page_port)),
            *("--reply-port", str(self.reply_port)),
        ]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(places.ROOT)}

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.page_port}/api/health")


def start(folder: Path, port: int, *, page_port: int) -> MailCatcher:
    part = MailCatcher(folder, port, page_port=page_port)
    part.start()
    return part
