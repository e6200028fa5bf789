"""The mails that a store on this machine has written into its folder."""

import email
import re
import time
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

PATIENCE = 30
BETWEEN = "\n" + "-" * 79 + "\n"  # what Django puts between the mails of a file
TOKEN = re.compile(r"/account/confirm#\w+=([\w-]+)")


class Mailbox:
    """Reads what anybody was sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address, oldest first."""
        found = []
        for file in sorted(self.folder.glob("*.log")):
            for text in file.read_text().split(BETWEEN):
                message = email.message_from_string(text, policy=default)
                if message["To"] == address:
                    found.append(message)
        return sorted(found, key=lambda message: str(message["Message-ID"]))

    def token_for(self, address: str) -> str:
        """Wait for the newest token that was mailed to an address."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for message in reversed(self.mails_to(address)):
                body = message.get_body(("plain",))
                if body and (token := TOKEN.search(body.get_content())):
                    return token[1]
            assert time.monotonic() < deadline, f"no token was mailed to {address}"
            time.sleep(0.1)
