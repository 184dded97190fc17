"""Nothing personal of a tracking answer is ever stored: not in a column, not in the evidence, not in the file."""

from __future__ import annotations

import zlib

from tests.end_to_end.support import MONDAY, Start, at, day
from tests.polling.gateway import Gateway, at_gateway, event
from tracker.store.tables import Event, RawAnswer

CODE = "AD100000017BR"
PRIVATE = ("Quitéria Recebedora", "529.982.247-25", "quiteria@example.org", "+5581988887777", "-8.0631", "portaria 42")
NAME, DOCUMENT, EMAIL, PHONE, LATITUDE, COMMENT = PRIVATE


def test_what_an_answer_says_of_people_is_dropped_before_anything_is_kept(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    person = {"nome": NAME, "documento": DOCUMENT, "email": EMAIL, "celular": PHONE, "comentario": COMMENT}
    delivered = event(
        "BDE-01",
        at(day(2), 8),
        "Objeto entregue ao destinatário",
        recebedor=person,
        destinatario=person,
        remetente=person,
        entregadorExterno={"nome": NAME, "documento": DOCUMENT},
        carteiro=NAME,
        usuario=NAME,
        comentario=COMMENT,
        latitude=LATITUDE,
        longitude=LATITUDE,
    )
    gateway = Gateway()
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), delivered, destinatario=person)
    gateway.terms = [{"txErro": "x"}]
    with gateway.open():
        trial.pass_at(at(day(2), 9))
    assert len(trial.rows(Event)) == 2  # the event itself is kept
    evidence = b"".join(zlib.decompress(row["body"]) for row in trial.rows(RawAnswer))
    assert b"BDE" in evidence
    kept = repr(trial.dump()) + evidence.decode()
    assert [word for word in PRIVATE if word in kept] == []


def test_a_message_that_quotes_a_document_is_kept_without_it(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway()
    with gateway.open():
        gateway.objects[CODE] = ("", {})
        trial.pass_at(at(day(2), 9))
        odd = {"codObjeto": CODE, "mensagem": f"SRO-099: Objeto de {EMAIL}, CPF {DOCUMENT}"}
        gateway.objects[CODE] = ("12345678000195", odd)
        trial.pass_at(at(day(2), 17))
    evidence = b"".join(zlib.decompress(row["body"]) for row in trial.rows(RawAnswer))
    assert b"SRO-099" in evidence
    kept = repr(trial.dump()) + evidence.decode()
    assert [word for word in PRIVATE if word in kept] == []
