"""Every kind of alert: what it means, why it comes, what to do, and when it ends by itself.

`docs/alerts.md` is made of these entries, `tracker alerts --explain KIND` prints one, and mails carry what to do. A test
holds the kinds against those that the code raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tracker.domain.words import Severity

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


@dataclass(frozen=True, slots=True)
class AlertKind:
    """One kind. `severity` is the one it begins with where it may get worse."""

    severity: Severity
    means: str
    cause: str
    act: str
    ends: str
    portuguese: str


ALERT_KINDS: Final[Mapping[str, AlertKind]] = {
    # --- carriers -----------------------------------------------------------------------------------
    "carrier_down": AlertKind(
        CRITICAL,
        "A carrier's API has not answered three times in a row, or not in a way that can be read.",
        "An outage at the carrier, a maintenance page, an API that was changed, or no way out of this machine.",
        "Look whether other carriers answer; if none does, look at this machine's network. Else wait: nothing is lost, silence "
        "rules stand still meanwhile, and what was missed is asked for afterwards.",
        "With the first answer.",
        "A transportadora não responde. Nada se perde; o que faltou é consultado quando ela voltar.",
    ),
    "credentials_refused": AlertKind(
        CRITICAL,
        "A carrier refuses this account's credentials for one of its APIs.",
        "A password or access code was changed or has expired, the contract ended, or a digit is wrong.",
        "Put the new credential into the configuration and reload; `tracker check-config --online` proves it.",
        "With the first answer; it is tried hourly, and at once when the configuration changes.",
        "A transportadora recusa as credenciais. Confira usuário, código de acesso e contrato.",
    ),
    "api_missing": AlertKind(
        CRITICAL,
        "The carrier's token does not open an API that this account needs.",
        "The contract does not include it, or the carrier took it away.",
        "Ask the carrier to add the named API to the contract.",
        "With the first token that opens it.",
        "O contrato não dá acesso a uma API necessária. Peça à transportadora que a libere.",
    ),
    "hook_refused": AlertKind(
        WARNING,
        "Many requests to a carrier's hook within an hour were not the carrier's: none was kept.",
        "The secret under `carriers` is not the one that the carrier signs with, or somebody tries the address.",
        "Where the carrier's own pushes are missing (`tracker_hook_requests_total` shows none accepted), compare the secret with "
        "the carrier's panel. Else nothing need be done: the parcels are asked about as ever; the proxy can keep strangers out.",
        "When an hour passed with fewer.",
        "Muitos avisos que não são da transportadora. Confira o segredo do webhook com o painel dela.",
    ),
    "hook_unreadable": AlertKind(
        WARNING,
        "A carrier pushed something that the program cannot read; it is kept, and tried again daily for two weeks.",
        "The carrier has changed what it sends.",
        "Nothing is lost: the parcels are asked about as ever. Tell whoever keeps the adapter; a newer one reads it by itself.",
        "When it can be read, or is not tried any more.",
        "A transportadora mandou um aviso que o programa não entende. Nada se perde; atualize o programa.",
    ),
    "history_shrunk": AlertKind(
        CRITICAL,
        "Many answers at once show less of parcels than was recorded already.",
        "The account lost a right (contract, posting card), or the carrier's API changed.",
        "Look at the account's rights with the carrier. Nothing recorded is lost or taken back meanwhile.",
        "With the next whole answers.",
        "A transportadora mostra menos eventos que antes. Confira os direitos do contrato; nada do que já se sabe se perde.",
    ),
    "looks_behind": AlertKind(
        WARNING,
        "Parcels that are due or out for delivery have not been looked at for hours, though the carrier answers.",
        "More parcels than `requests_per_second` allows to ask about, a carrier that answers slowly, or a slow database.",
        "`tracker report --freshness` shows what the limits allow: raise `requests_per_second` as far as the contract allows, "
        "or lengthen `rules.polling`; `tracker_lane_seconds` shows which lane takes long.",
        "When none of them waits for longer than an hour.",
        "As consultas à transportadora estão atrasadas. Veja tracker report --freshness e o limite de consultas.",
    ),
    "carrier_unconfigured": AlertKind(
        CRITICAL,
        "Open shipments belong to a carrier that the configuration does not name.",
        "Its entry was removed, or its id was changed.",
        "Give the entry under `carriers` that id again. Until then nobody asks about these parcels.",
        "When the configuration names it, or no open shipment is its any more.",
        "Há envios de uma transportadora que não está na configuração: ninguém os acompanha.",
    ),
    "feed_silent": AlertKind(
        CRITICAL,
        "A carrier that sends files by itself has sent none for longer than `silent_days` allows.",
        "The carrier stopped or changed the sending, or the files end up somewhere else.",
        "Ask the carrier, and look at the places under `carriers[].files`. Nothing is known of its parcels meanwhile, so rules "
        "about silence and lateness wait; what is sent afterwards is read as ever.",
        "With the next file that can be read.",
        "A transportadora parou de mandar arquivos. Peça-os: até lá nada se sabe dos envios dela.",
    ),
    "feed_refused": AlertKind(
        WARNING,
        "A file that a carrier sent could not be read, or lines of it could not.",
        "A fault in the carrier's program, or a file that was cut off on its way.",
        "The report beside the file (`done/` or `refused/` in its folder) names each line; send it to the carrier. The other "
        "lines count. A mended file is read whatever its name is.",
        "With the next file of this carrier that has no fault.",
        "Um arquivo da transportadora tem linhas ilegíveis; o relatório ao lado dele diz quais. As outras valem.",
    ),
    "untrackable": AlertKind(
        WARNING,
        "The carrier will not follow a number, and it is no longer asked about.",
        "A mistyped code, a label of another contract, or a number the carrier never knew.",
        "`tracker problems --kind untrackable` lists them: import the order with the right code, or add its contract.",
        "Not by itself: acknowledge it once the numbers are settled. A new one renews its words.",
        "A transportadora não acompanha um código. Confira o código ou o contrato.",
    ),
    "unknown_code": AlertKind(
        WARNING,
        "An event came whose code nobody reads; it is kept, and moves nothing.",
        "The carrier uses a code that its documentation does not have.",
        "`tracker carriers unknown` shows the line that maps it; write it under `carriers[].codes` and reload.",
        "When the code has a meaning; the stored history is then read again.",
        "A transportadora mandou um código de evento desconhecido. tracker carriers unknown mostra como dar-lhe sentido.",
    ),
    "delivery_reversed": AlertKind(
        WARNING,
        "A parcel that was told as delivered is not, says the carrier now.",
        "A carrier's correction: a wrong scan, a delivery to somebody else.",
        "A customer who was told of the delivery needs a word: `tracker show S5` has the story.",
        "When the parcel comes to an end again.",
        "Uma entrega foi desfeita pela transportadora. O cliente que já foi avisado precisa de uma palavra.",
    ),
    "incident": AlertKind(
        WARNING,
        "Many parcels have a problem at one place, on the way to one state, or with one carrier.",
        "A strike, a flood, a sorting centre that stands still.",
        "Nothing at once: claims are spread and customers are told that it is shared. Tell the team that answers the phone.",
        "When no new problems come from there.",
        "Muitos envios com problema no mesmo lugar. Avise quem atende o telefone.",
    ),
    # --- orders -------------------------------------------------------------------------------------
    "import_refused": AlertKind(
        WARNING,
        "A file of orders could not be read.",
        "Half a file, another format, other headings, or a fault in every order of it.",
        "The reason lies beside the file in `refused/`. Mend it and put it into the inbox again.",
        "When a file of this shop is read again.",
        "Um arquivo de pedidos não pôde ser lido e está em refused/, com o motivo ao lado.",
    ),
    # --- claims -------------------------------------------------------------------------------------
    "claim_needs_person": AlertKind(
        WARNING,
        "A claim waits for a person.",
        "Data is missing, the value is above the ceiling, or the carrier's answer is not clear. One that waits for approval as"
        " the mode `propose` wants it raises none: the digest and `tracker claims --open` list it.",
        "`tracker explain C7` says why; then `tracker approve C7` or `tracker reject C7`.",
        "When it is filed, answered, rejected or over.",
        "Uma reclamação espera uma pessoa: tracker explain, depois approve ou reject.",
    ),
    "claim_deadline_near": AlertKind(
        WARNING,
        "A claim is not filed and its window closes in a few days.",
        "It waits for a person or a date, or does not get through.",
        "`tracker explain C7` says what holds it; approve it, or give what is missing.",
        "When it is filed or over.",
        "O prazo de uma reclamação está perto e ela ainda não foi registrada.",
    ),
    "claim_deadline": AlertKind(
        CRITICAL,
        "A claim is not filed and its window closes today.",
        "It was held until now, or the carrier does not take it.",
        "File it by hand: the alert has a ready text (`details.text`). It is still tried until its last day.",
        "When it is filed or over.",
        "O prazo de uma reclamação vence hoje. Registre-a à mão com o texto pronto do aviso.",
    ),
    "claim_unanswered": AlertKind(
        WARNING,
        "The carrier has not answered a claim in its own time.",
        "Slow work at the carrier, or an answer that went to the mailbox only.",
        "Look into the mailbox named as `reply_email`; ask the carrier with the protocol that `tracker show` gives.",
        "With the answer.",
        "A transportadora não respondeu a uma reclamação no prazo. Veja a caixa de e-mail e cobre com o protocolo.",
    ),
    "claim_vanished": AlertKind(
        WARNING,
        "The carrier no longer finds a claim that it took.",
        "A fault at the carrier.",
        "Ask the carrier with the protocol that `tracker show` gives.",
        "When it is found or answered.",
        "A transportadora deixou de encontrar uma reclamação que tinha recebido. Cobre com o protocolo.",
    ),
    "claim_rejected": AlertKind(
        WARNING,
        "The carrier rejected a claim.",
        "Its own reasons: they stand in the alert.",
        "`tracker explain C7`; where it is wrong, `tracker approve C7` contests it within five days.",
        "When it is contested, or can be no more.",
        "A transportadora rejeitou uma reclamação. Ela pode ser contestada em cinco dias.",
    ),
    "claim_refund_refused": AlertKind(
        WARNING,
        "An accepted claim is not reopened as a refund request, so its money does not come by itself.",
        "The carrier refuses the reopening.",
        "Ask the carrier for the payment with the protocol that `tracker show` gives.",
        "Not by itself: acknowledge it once the money is settled.",
        "Uma reclamação aceita não foi reaberta como pedido de indenização. Cobre o pagamento com o protocolo.",
    ),
    "claims_failing": AlertKind(
        WARNING,
        "A carrier's claims system refuses every claim with a fault of its own.",
        "A fault at the carrier; claims are tried once a day.",
        "Nothing, unless deadlines come near: then `claim_deadline_near` follows for each.",
        "When it takes a claim again.",
        "O sistema de reclamações da transportadora está falhando; tentamos todo dia.",
    ),
    "claims_by_contract": AlertKind(
        WARNING,
        "The contract settles lateness by service level: claims for lateness rest.",
        "The carrier said so when one was filed.",
        "Write `delay_claims: contract` to settle it; or change the account's configuration to have them tried again.",
        "With a new configuration of the account.",
        "O contrato acerta atrasos por nível de serviço: pedidos por atraso ficam parados.",
    ),
    # --- messages -----------------------------------------------------------------------------------
    "mail_down": AlertKind(
        CRITICAL,
        "A mail account takes no mail. A warning where another account takes over.",
        "Its server is down, refuses the password or the sender, or a firewall stands between.",
        "The alert names the cause; `tracker check-config --online` tries again. Messages wait; too old ones are not sent.",
        "With the first mail it takes, or a login that works again.",
        "Uma conta de e-mail não aceita mensagens; sem outra conta, elas esperam na fila.",
    ),
    "bounces_down": AlertKind(
        WARNING,
        "The mailbox of returned mail could not be read three times in a row.",
        "Its server is down, or refuses the user, the password or the folder under `messages.bounces`.",
        "`tracker check-config --online` names the cause. Nothing is lost: the mails there are read afterwards.",
        "When it is read again.",
        "A caixa dos e-mails devolvidos não pode ser lida. Confira messages.bounces.",
    ),
    "bounce_rate": AlertKind(
        WARNING,
        "More than one in twenty of the newest 200 messages came back.",
        "Addresses that were mistyped or invented in the orders, or a sender that providers refuse.",
        "`tracker suppressions` shows the addresses and why. Mend the source of the addresses before providers block the shop.",
        "When fewer come back.",
        "Muitas mensagens estão voltando. Confira de onde vêm os e-mails dos pedidos.",
    ),
    "message_unconfirmed": AlertKind(
        WARNING,
        "A message left and the mail server never said whether it has it.",
        "The line broke, or the program died, at that very moment.",
        "Look for its Message-ID in the mail server's log; if it is not there, tell the customer by other means.",
        "Where it is sent once more and taken; else not by itself: acknowledge it once it is settled.",
        "Uma mensagem saiu sem confirmação do servidor. Procure o Message-ID no log dele.",
    ),
    "template_broken": AlertKind(
        WARNING,
        "A text cannot be used, and its messages wait.",
        "A change in `templates/` with a fault; the alert has file and line.",
        "Mend it: `tracker check-config` shows every fault. What waits then leaves by itself.",
        "When the text can be used again.",
        "O texto de uma mensagem tem um erro; as mensagens dele esperam. tracker check-config mostra onde.",
    ),
    "template_overdue": AlertKind(
        CRITICAL,
        "Messages that wait for a broken text grow too old to be sent, or have become so.",
        "A `template_broken` that nobody mended.",
        "Mend the text now; tell the customers of those that expired by other means (`tracker messages --state expired`).",
        "When the text can be used again.",
        "Mensagens presas por um texto com erro vão perder a validade. Corrija o texto agora.",
    ),
    "outbox_backed_up": AlertKind(
        WARNING,
        "Messages that should have left wait for over an hour.",
        "More mails than `per_hour` allows, or a slow mail server.",
        "Raise `messages.email.per_hour` if your provider allows it. Those too old by then are not sent.",
        "When nothing waits for longer than half an hour.",
        "Há mensagens paradas na fila há mais de uma hora. Veja o limite por hora do e-mail.",
    ),
    "digest_not_sent": AlertKind(
        WARNING,
        "A shop's daily digest could not be sent on its day.",
        "The mail server was down, or refuses the address under `digest.to`.",
        "`tracker digest` prints it. Check the address and the mail server.",
        "With the next digest that is sent to this address.",
        "O resumo diário não pôde ser enviado. tracker digest mostra o que ele diria.",
    ),
    # --- the program itself -------------------------------------------------------------------------
    "daemon_silent": AlertKind(
        WARNING,
        "Nobody worked on this database for hours; now it works again.",
        "The machine or the service was off, or hung.",
        "`journalctl -u shipment-tracker` has the reason. Set `ping` so that you hear of it while it lasts.",
        "An hour after the work began again.",
        "O programa ficou horas parado e voltou. Configure ping para saber enquanto acontece.",
    ),
    "alert_sink_down": AlertKind(
        WARNING,
        "One of the places that alerts go to does not take them (critical: it was given up).",
        "It is down, refuses the signature or the address; 410 asks never to be called again.",
        "Mend it. One that was given up is tried again when its entry under `alerts` changes, or after `tracker alerts retry`.",
        "With the first alert it takes.",
        "Um destino de avisos não os recebe. Depois de consertar: tracker alerts retry.",
    ),
    "letter_text_broken": AlertKind(
        WARNING,
        "A claim's letter to a carrier cannot be written: its text has a fault.",
        "A change to the merchant's `claim_letter` or `claim_letter_followup` texts.",
        "`tracker templates check` names file and line; the letter leaves by itself once the text is mended.",
        "When the text can be used again.",
        "O texto da carta à transportadora tem um erro. tracker templates check diz onde.",
    ),
    # --- machines -----------------------------------------------------------------------------------
    "machine_lost": AlertKind(
        WARNING,
        "Of several machines that share the work one gives no sign of life; the others have taken its lanes over.",
        "It is off, was cut off from the database, or its service was killed and not started again.",
        "`systemctl status shipment-tracker` there; `tracker engine status` on another one shows who works. Nothing waits for it "
        "but the files in an inbox of its own.",
        "When that machine works again; one that is gone for good is acknowledged.",
        "Uma das máquinas parou de dar sinal; as outras assumiram o trabalho dela.",
    ),
    "database_unusable": AlertKind(
        CRITICAL,
        "Work stands still because the database, or the disk it lies on, does not do as asked.",
        "A full or read-only disk, a server that is away or too slow, or another program that holds the database.",
        "The summary says what is wrong. Mend it: the work goes on by itself within a minute, and nothing is lost.",
        "When every lane works again. It is told straight from memory, once a machine, and written into the database afterwards.",
        "O banco de dados, ou o disco dele, não responde como deve. Corrija a causa; o trabalho continua sozinho.",
    ),
    # --- data ---------------------------------------------------------------------------------------
    "backup_failed": AlertKind(
        WARNING,
        "The day's copy of the database could not be made; it is tried again every 15 minutes.",
        "A full or read-only disk, a folder that the service may not write, or `pg_dump` missing or older than the server.",
        "Read the alert's reason; `tracker db backup` tries at once.",
        "With the next good copy.",
        "A cópia diária do banco de dados falhou. Veja o motivo e o espaço em disco.",
    ),
    "backup_missing": AlertKind(
        CRITICAL,
        "No good copy of the database has been made for 48 hours.",
        "As `backup_failed`, for too long.",
        "Make one by hand (`tracker db backup FILE`) and mend what keeps the daily one from it.",
        "With the next good copy.",
        "Há 48 horas não há cópia boa do banco de dados. Faça uma à mão e corrija a causa.",
    ),
    "retention_failed": AlertKind(
        WARNING,
        "What is older than `retention` says is not dropped: its archive cannot be written.",
        "A full or read-only disk, or a folder that the service may not write.",
        "Make room or correct `retention.archive`; it is tried again every 15 minutes, and nothing is lost meanwhile.",
        "When the archive can be written again.",
        "O que passou do prazo de guarda não foi retirado: o arquivo morto não pode ser gravado. Veja o disco.",
    ),
}


def what_to_do(kind: str) -> str:
    """The advice for this kind; empty for a word that is no kind (`several`)."""
    entry = ALERT_KINDS.get(kind)
    return entry.act if entry else ""


def markdown() -> str:
    """The catalogue as it stands in `docs/alerts.md`."""
    return "\n".join(line for kind, entry in ALERT_KINDS.items() for line in _section(kind, entry))


def _section(kind: str, entry: AlertKind) -> list[str]:
    return [
        f"### `{kind}`",
        "",
        f"{entry.means} Severity: {entry.severity.value}.",
        "",
        f"- Cause: {entry.cause}",
        f"- Do: {entry.act}",
        f"- Ends: {entry.ends}",
        f"- {entry.portuguese}",
        "",
    ]
