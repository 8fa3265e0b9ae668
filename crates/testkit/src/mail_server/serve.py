"""Takes mail at a port of this machine and keeps each as a file of JSON; arguments: port, folder.

Nobody is there whose name begins with `nobody`; who begins with `later` comes another time; of who
begins with `says-554-5-7-1` just that is said. The first mail to who begins with `unanswered` is
kept, and whoever sent it never hears of that.
"""

import asyncio
import email
import email.policy
import itertools
import json
import os
import sys

from aiosmtpd.smtp import SMTP


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(len(os.listdir(folder)))
        self.unanswered = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}> is nobody here"
        if address.startswith("later"):
            return f"451 4.3.0 <{address}> comes another time"
        if address.startswith("says-"):
            code, *status = address.split("@")[0].split("-")[1:]
            words = [code, ".".join(status), f"<{address}> is not let in"]
            return " ".join(word for word in words if word)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
        }
        path = os.path.join(self.folder, f"{next(self.numbers):06}.json")
        with open(path + ".next", "w") as file:
            json.dump(kept, file)
        os.rename(path + ".next", path)
        unheard = {to for to in envelope.rcpt_tos if to.startswith("unanswered")} - self.unanswered
        if unheard:
            self.unanswered |= unheard
            await asyncio.Event().wait()
        return "250 2.0.0 kept"


async def main(port, folder):
    keeper = Keeper(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", loop=loop), "127.0.0.1", port
    )
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
