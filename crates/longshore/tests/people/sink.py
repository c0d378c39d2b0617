"""A mail server that keeps what it gets, one file of JSON for each letter.

Arguments: the folder, the port, and `tls` where it has a certificate (cert.pem and key.pem in the folder): then it takes nothing
without STARTTLS and a login (reg, mail-secret).
"""

import json
import os
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

FOLDER, PORT, TLS = sys.argv[1], int(sys.argv[2]), "tls" in sys.argv[3:]


class Keep:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        Keep.count += 1
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode(),
            "tls": session.ssl is not None,
            "login": session.authenticated,
            "hello": session.host_name,
        }
        name = os.path.join(FOLDER, f"letter-{time.time_ns()}-{Keep.count}")
        with open(name + ".new", "w") as out:
            json.dump(letter, out)
        os.rename(name + ".new", name + ".json")
        return "250 kept"


def known(server, session, envelope, mechanism, data):
    good = data.login == b"reg" and data.password == b"mail-secret"
    return AuthResult(success=good, handled=False)


class Server(Controller):
    def factory(self):
        if not TLS:
            return SMTP(self.handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(FOLDER, "cert.pem"), os.path.join(FOLDER, "key.pem"))
        return SMTP(
            self.handler,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=known,
        )


Server(Keep(), hostname="127.0.0.1", port=PORT).start()
while True:
    time.sleep(3600)
