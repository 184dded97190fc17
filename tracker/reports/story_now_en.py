"""How things stand now and what a person can do, and what alerts mean, in English (see `tracker.reports.story_words`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STANDING: Final[Mapping[str, str]] = {
    "now.problem/open": "{id}: the problem is open[ since {since:day}].",
    "now.problem/resolved": "{id}: the problem ended[ on {resolved_at:day}].",
    "now.problem/unclaimed": "{id}: there is no claim with the carrier.",
    "now.problem/untold": "{id}: no message was prepared for the customer about this problem.",
    "now.claim/planned": (
        "{id}: will be filed on {claimable_from:day}, the first day the carrier takes it; its term ends on {deadline_on:day}."
    ),
    "now.claim/waiting_approval": "{id}: waits for a person. Its term ends on {deadline_on:day}.",
    "now.claim/waiting_approval/approved": (
        "{id}: approved; the program goes on with it at its next look. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/released": "{id}: released; the program judges it at its next look. Term: {deadline_on:day}.",
    "now.claim/waiting_approval/observe": (
        "{id}: nothing leaves while the shop only observes. To go live, put the day into live_from (config.yaml)."
    ),
    "now.claim/waiting_approval/before_live": (
        "{id}: to file it, tracker release {id}; to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/restored": (
        "{id}: the database was put back to an earlier copy, and this may have gone to the carrier already;"
        " to let it go, tracker release {id}; to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/propose": (
        "{id}: to file it, tracker approve {id}; to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/value_ceiling": (
        "{id}: to file it, tracker approve {id}; to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/by_letter": (
        "{id}: send the claim to the carrier by {deadline_on:day} and then confirm it with tracker approve {id}."
    ),
    "now.claim/waiting_approval/by_words": (
        "{id}: only the carrier's text says so. To claim the refund all the same, tracker approve {id}; to give it up,"
        " tracker reject {id}; if the text is sure, map it under codes (config.yaml). Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/missing_data": (
        "{id}: name the recipient (tracker edit ORDER --name NAME); then it goes on. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/configuration": (
        "{id}: put the carrier's entry in config.yaml right, then tracker approve {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/carrier_answer": (
        "{id}: read the carrier's answer; to try again, tracker approve {id};"
        " to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/letter": (
        "{id}: look in the mail server's log for the letter[ to {letter_to}]; if it left, tracker claims sent {id}; to send it"
        " again, tracker approve {id}; to give it up, tracker reject {id}. Term: {deadline_on:day}."
    ),
    "now.claim/submitting/letter": "{id}: its letter waits for the mail server[: {letter_reason:quote}].",
    "now.claim/open/letter": (
        "{id}: letter sent[ to {letter_to}][ on {letter_at:time}][, reminded on {reminded_at:time}][, with {evidence}]; not"
        " answered.[ It asks for an answer by {answer_by:day}.] When the answer comes: tracker claims answer {id}."
    ),
    "now.claim/accepted/letter": (
        "{id}: accepted[, protocol {protocol}]; the payment was not recorded yet. When it comes:"
        " tracker claims answer {id} --paid --amount VALUE."
    ),
    "now.claim/submitting": "{id}: on its way to the carrier[; next try on {next_step_at:time}].",
    "now.claim/open": (
        "{id}: registered[, protocol {protocol}], not answered."
        "[ The carrier has until {answer_by:day} to answer.][ It is asked again on {next_step_at:time}.]"
    ),
    "now.claim/answered": (
        "{id}: answered[, protocol {protocol}] without a yes or no; read the answer.[ It is asked again on {next_step_at:time}.]"
    ),
    "now.claim/accepted": (
        "{id}: accepted[, protocol {protocol}]; the payment has not shown yet.[ It is asked again on {next_step_at:time}.]"
    ),
    "now.claim/rejected": "{id}: rejected by the carrier[, protocol {protocol}].",
    "now.claim/rejected/closed": (
        "{id}: rejected by the carrier[, protocol {protocol}]. Unless something new happens nothing more is asked of it: a"
        " person decides what to offer the customer, and whether to insist at the carrier's service desk."
    ),
    "now.claim/reopened": "{id}: reopened[, protocol {protocol}], not answered.[ It is asked again on {next_step_at:time}.]",
    "now.claim/paid": "{id}: paid[, protocol {protocol}]. Nothing more to do.",
    "now.claim/refused": "{id}: the carrier did not take the claim[: {refusal_text:quote}].",
    "now.claim/expired": "{id}: the term for claiming ended on {last_on:day}.",
    "now.claim/cancelled": "{id}: cancelled before it was filed.",
    "now.message/queued": "{id}: queued[; it leaves from {next_step_at:time} on].",
    "now.message/sending": "{id}: leaving right now.",
    "now.message/unconfirmed": (
        "{id}: left, not confirmed by the server[, diverted to {diverted_to} and not to the customer]"
        "[; tried again on {next_step_at:time}].[ In the mail server's log, its"
        " Message-ID is {message_id}.]"
    ),
    "now.message/sent": "{id}: sent[ on {sent_at:time}][, but diverted to {diverted_to}: the customer did not get it].",
    "now.message/delivered": "{id}: delivered.",
    "now.message/bounced": (
        "{id}: [the trial's address, {diverted_to}, refused the message, which did not go to the customer|the address refused the"
        " message. Correct it (tracker edit ORDER --email ADDRESS)]."
    ),
    "now.message/failed": "{id}: could not be delivered.",
    "now.message/suppressed": "{id}: will not be sent.",
    "now.message/expired": "{id}: expired unsent on {expires_at:day}.",
    "now.message/awaiting_person": "{id}: waits for a person until {expires_at:time}.",
    "now.message/awaiting_person/observe": (
        "{id}: nothing leaves while the shop only observes (live_from in config.yaml); it expires on {expires_at:time}."
    ),
    "now.message/awaiting_person/before_live": (
        "{id}: to send it, tracker release {id}; to give it up, tracker reject {id}. It expires on {expires_at:time}."
    ),
    "now.message/awaiting_person/restored": (
        "{id}: may have left already; where the mail server does not have it, tracker release {id}; where it has,"
        " tracker reject {id}. It expires on {expires_at:time}."
    ),
    "now.message/awaiting_person/configuration": "{id}: put the shop right in config.yaml. It expires on {expires_at:time}.",
    "now.message/awaiting_person/template": (
        "{id}: correct the text, and it leaves by itself. It expires on {expires_at:time}."
    ),
    "now.message/awaiting_person/muted": (
        "{id}: the order is muted; to tell again, tracker mute ORDER --off. It expires on {expires_at:time}."
    ),
    "now.incident/open": (
        "{id}: {open_members} of {members} parcels still have the problem; the last one joined on {last_joined_at:time}. Their"
        " claims leave spread over the day, and the delay mail says that it is shared."
    ),
    "now.incident/ended": "{id}: it is over; {open_members} of {members} parcels still have the problem.",
    "now.shipment/polled": (
        "{id}: the carrier's last answer came [on {last_answered_at:time}|{!last_answered_at}never]"
        "[; it is asked again on {next_poll_at:time}]."
    ),
    "now.shipment/unread": (
        "{id}: the carrier shows [{several} movements|a movement] with a code that the program does not know ({codes}), and"
        " nothing changes by [{?several}them|it]. How to map the code: tracker carriers unknown --carrier {carrier}."
    ),
    "now.shipment/told": (
        "{id}: the carrier tells of it by itself and cannot be asked; its last news [came on"
        " {last_answered_at:time}|{!last_answered_at}never came]."
    ),
    "now.shipment/closed": "{id}: tracking is asked about no more: {closed_reason:closed}.",
}
ALERTS: Final[Mapping[str, str]] = {
    "alert.*": "Something needs a person.",
    "now.alert/raised": "The program said: {summary:quote}",
    "now.alert/acked": (
        "Acknowledged[ by {who}| by a person][ ({note})]: no more is said of it until [{until:time}|it is over], unless it"
        " gets worse."
    ),
    "now.alert/resolved": "Settled.",
    "alert.claim_deadline": "A claim's term is about to end and it is not filed.",
    "alert.claim_needs_person": "A claim waits for a person.",
    "alert.claim_unanswered": "The carrier did not answer a claim within its own term.",
    "alert.claim_vanished": "The carrier no longer finds a claim that it had taken.",
    "alert.claims_by_contract": "The contract takes no claims of this motive.",
    "alert.claim_deadline_near": "A claim's term draws near its end and it is not filed yet.",
    "alert.claim_rejected": "The carrier rejected a claim.",
    "alert.claim_refund_refused": "The carrier did not reopen an accepted claim as a refund claim.",
    "alert.claims_failing": "The carrier's claims system is failing.",
    "alert.delivery_reversed": (
        "The carrier took the delivery[ of {code}] back; whoever was told of the delivery needs a word."
    ),
    "alert.incident": "Many parcels of one carrier go wrong at the same time.",
    "alert.untrackable": "The carrier cannot follow a number.",
    "alert.unknown_code": "The carrier sent an event code that the program does not know.",
    "alert.message_unconfirmed": "A message left without the mail server's confirmation.",
    "alert.bounces_down": "The mailbox of returned mail cannot be read.",
    "alert.bounce_rate": "Many messages come back; check the addresses in the orders.",
    "alert.mail_down": "The mail server takes no messages; they wait in the queue.",
    "alert.template_broken": "A message's text has a fault; its messages wait.",
    "alert.carrier_down": "The carrier does not answer.",
    "alert.carrier_refused": "The carrier refuses the credentials. Check user, access code and contract.",
    "alert.import_refused": "A file of orders could not be read; it lies in refused/ with the reason beside it.",
    "alert.carrier_unconfigured": "There are shipments of a carrier that is not in the configuration.",
    "alert.backup_failed": "The day's copy of the database was not made.",
    "alert.backup_missing": "For more than two days there has been no good copy of the database.",
}
