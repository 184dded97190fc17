"""What `tracker explain` says, in English: one entry a rule, outcome and reason (see `tracker.reports.story_words`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracker.reports.story_now_en import ALERTS, STANDING
from tracker.reports.story_words import Language
from tracker.reports.words_en import WORDS

_PROBLEMS: Final[Mapping[str, str]] = {
    "delay.past_promise": (
        "Late: the parcel has not come, and no delivery was attempted in time."
        "[ {?customer_since}The customer was promised {promised_on:day}.]"
        "[ {?carrier_since}The carrier's own date was {carrier_due_first_on:day}."
        "| {!carrier_since}The carrier is still inside its own term, which is {carrier_due_first_on:day}."
        "|{!carrier_due_first_on} The carrier has named no date.]"
    ),
    "late_delivery.past_promise": (
        "First attempt after the date: the carrier only came[ on {since:day}| after it]."
        "[ {?customer_since}The customer was promised {promised_on:day}.]"
        "[ {?carrier_since}The carrier's own date was {carrier_due_first_on:day}."
        "| {!carrier_since}The carrier's own date was {carrier_due_first_on:day}, and it kept it.]"
    ),
    "loss.coded": (
        "Lost: the carrier says[, on {since:day},] that it has lost the parcel."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "loss.presumed": (
        "Presumed lost: nothing has been heard of it for[ {business_days:business_days}| too long]"
        "[, counted from {counted_from:day}].[ The last event was on {last_event_at:day}.]"
        "[ Holidays that did not count: {holidays_skipped:holidays}.]"
        "[ {?days_without_answer}Days on which the carrier did not answer our questions did not count: {days_without_answer}.]"
    ),
    "theft.coded": (
        "Stolen: the carrier says[, on {since:day},] that the parcel was stolen."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "damage.coded": (
        "Damaged: the carrier recorded[ on {since:day}] that the parcel is damaged."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "violation.*": (
        "Opened: the carrier recorded[ on {since:day}] that the package was opened."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "returning.coded": (
        "Coming back: the parcel is on its way back to the shop[ since {since:day}][, because {cause:cause}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "returned.coded": (
        "Returned: the parcel is back at the shop[ since {since:day}][, because {cause:cause}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "delay.*": "Late: the parcel is past its date[ since {since:day}].",
    "late_delivery.*": "First attempt after the date: the carrier only came[ on {since:day}| after it].",
    "loss.*": "Lost: the parcel is taken for lost[ since {since:day}].",
    "theft.*": "Stolen: the parcel was stolen[ on {since:day}].",
    "damage.*": "Damaged: the parcel is damaged[ since {since:day}].",
    "returning.*": "Coming back: the parcel is on its way back to the shop[ since {since:day}].",
    "returned.*": "Returned: the parcel is back at the shop[ since {since:day}].",
    "not_posted.*": (
        "Not posted: the order is registered and the carrier has not received the parcel yet"
        "[; it counts as a problem since {since:day}]."
    ),
    "stalled.*": (
        "Stuck: nothing has been heard of the parcel[ for {business_days:business_days}]"
        "[; the last event was on {last_event_at:day}][; it counts as a problem since {since:day}]."
    ),
    "delivery_failed.*": (
        "Delivery failed: the carrier tried to deliver[ on {since:day}] and could not[, because {cause:cause}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "address_problem.*": (
        "Address problem: the carrier could not deliver[ on {since:day}] because of the address."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "refused.*": (
        "Refused: whoever was at the address did not take the parcel[ on {since:day}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "pickup_expiring.*": (
        "Pickup running out: the parcel waits for the customer at the counter[; the last day is {last_day:day}]"
        "[; it counts as a problem since {since:day}].[ Last place on record: {place}.]"
    ),
    "customs_hold.*": (
        "Held by customs[ since {since:day}].[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "seized.*": (
        "Seized: an authority seized the parcel[ on {since:day}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "misdelivery.*": (
        "Delivered to somebody else[ on {since:day}]."
        "[ {?by_words}Read from the carrier's text, without a confirmed code.]"
    ),
    "untrackable.*": "Not trackable: the parcel cannot be followed[ since {since:day}][: {closed_reason:closed}].",
    "untrackable.no_number": (
        "Not trackable: the shop says that the order was sent[ (we learned of it on {sent_on:date})], and no file named its"
        " tracking code or NF-e key; without one of them nothing can be followed[; it counts as a problem since {since:day}]."
    ),
    "not_posted.no_shipment": (
        "No shipment: the order should have left the shop and has no tracking code yet"
        "[; it counts as a problem since {since:day}]."
    ),
    "delivery.reversed": (
        "The carrier took its delivery[ of {delivered_at:day}] back: the customer may not have the parcel."
    ),
    "incident.joined": (
        "It is part of an incident: many parcels of this carrier go wrong at the same time[, at {name}]."
    ),
    "incident.seen": "Incident: many parcels of {carrier} went wrong at once[, since {started_at:day}].",
    "incident.seen/hub": (
        "Incident: many parcels of {carrier} went wrong at once at {name}[, since {started_at:day}]. One cause is likely."
    ),
    "incident.seen/state": (
        "Incident: many parcels of {carrier} on the way to {name} went wrong at once[, since {started_at:day}]."
        " One cause is likely."
    ),
    "incident.told": "Alert {alert_id} was raised.",
    "incident.told/over": "Alert {alert_id} was ended.",
    "incident.ended": "It ended[: {end_reason:incident_end}].",
    "problem.ended": "The problem ended[ on {ended_at:day}].",
    "problem.ended/resolved/delivered": "The problem ended[ on {ended_at:day}]: the parcel was delivered.",
    "problem.ended/resolved/returned": "The problem ended[ on {ended_at:day}]: the parcel is back at the shop.",
    "problem.ended/resolved/seized": "The problem ended[ on {ended_at:day}]: the parcel was seized.",
    "problem.ended/resolved/cancelled": "The problem ended[ on {ended_at:day}]: the posting was cancelled.",
    "problem.ended/resolved/expired": "The problem ended[ on {ended_at:day}]: the posting expired unused.",
    "problem.ended/resolved/attempted": (
        "The problem ended[ on {ended_at:day}]: delivery was attempted, or the parcel was laid out for pickup."
    ),
    "problem.ended/resolved/returning": "The problem ended[ on {ended_at:day}]: the parcel is on its way back to the shop.",
    "problem.ended/resolved/superseded": "Another problem took its place[ on {ended_at:day}]: loss or theft.",
    "problem.ended/resolved/order_cancelled": "The problem ended[ on {ended_at:day}]: the order was cancelled.",
    "problem.ended/resolved/promise_moved": "The problem ended[ on {ended_at:day}]: the date has moved.",
    "problem.ended/resolved/moving_again": "The problem ended[ on {ended_at:day}]: the parcel moves again.",
    "problem.ended/resolved/shipped": "The problem ended[ on {ended_at:day}]: the order has a shipment now.",
    "problem.ended/resolved/posted": "The problem ended[ on {ended_at:day}]: the carrier has received the parcel.",
    "problem.ended/resolved/available_for_pickup": "The problem ended[ on {ended_at:day}]: the parcel was laid out for pickup.",
    "problem.ended/resolved/term_extended": "The problem ended[ on {ended_at:day}]: the time for picking it up was extended.",
    "problem.ended/resolved/tracked_again": "The problem ended[ on {ended_at:day}]: the carrier shows this code again.",
    "problem.ended/resolved/order_closed": "The problem ended[ on {ended_at:day}]: the shop closed the order.",
    "problem.ended/resolved/hand_found": "The problem was settled by hand[ on {ended_at:day}]: the parcel was found.",
    "problem.ended/resolved/hand_satisfied": "The problem was settled by hand[ on {ended_at:day}]: the customer is satisfied.",
    "problem.ended/resolved/hand_refunded": "The problem was settled by hand[ on {ended_at:day}]: the customer was refunded.",
    "problem.ended/resolved/hand_resent": "The problem was settled by hand[ on {ended_at:day}]: the goods were sent again.",
    "problem.ended/resolved/hand_mistake": "The problem was settled by hand[ on {ended_at:day}]: it was a mistake.",
    "problem.ended/resolved/hand_other": "The problem was settled by hand[ on {ended_at:day}]: by a person's decision.",
    "problem.ended/resolved/code_corrected": (
        "The problem ended[ on {ended_at:day}]: the tracking code was corrected, and the one before was another parcel's."
    ),
    "problem.ended/resolved/withdrawn": "The problem ended[ on {ended_at:day}]: tracking no longer shows what caused it.",
}
_PLANS: Final[Mapping[str, str]] = {
    "claim.plan": "The plan of the claim changed.",
    "claim.plan/cancelled/by_contract": (
        "Claim cancelled: the contract settles lateness by service level; it is kept as statistics."
    ),
    "claim.plan/not_claimed/by_contract": (
        "No claim: the contract settles lateness by service level; it is kept as statistics."
    ),
    "claim.plan/not_claimed/not_the_carriers_fault": "No claim: it was no fault of the carrier's[, because {cause:cause}].",
    "claim.plan/not_claimed/settled_by_hand": "No claim: a person settled the problem and wants no claim for it.",
    "claim.plan/not_claimed/refused_before": (
        "No other claim: the carrier has refused one with motive {motive} before[ (C{claim})]."
    ),
    "claim.plan/planned": (
        "Claim planned: [{kind:claim_kind}|a request to the carrier][, motive {motive}]"
        "[. It may be filed from {claimable_from:day} on]"
        "[: the day of delivery, {delivered_on:date}, after the date of {due_on:date}"
        "|: the latest date that the carrier has named is {due_on:day}, plus a margin of {margin_business_days:business_days}"
        "|: the carrier has moved its date, and the wait ends {cap_business_days:business_days} after the first,"
        " {due_first_on:day}"
        "|: since then the program has known this shipment{?first_on}"
        "|: {?days_after_event}{days_after_event:days} after the carrier's record of {event_on:day}"
        "|: the carrier recorded the problem on {event_on:day}]."
        "[ Holidays that did not count: {holidays_skipped:holidays}.][ The claim's term ends on {deadline_on:day}.]"
        "[ {?by_words}{?second_sign}The problem was read from the carrier's text, without a confirmed code, and nothing moved for"
        " {silent_business_days:business_days} after it."
        "| {?by_words}The problem was read from the carrier's text, without a confirmed code: without a code, or a silence until"
        " {words_until:day}, no refund is asked for it."
        "| {?by_words}The problem was read from the carrier's text, without a confirmed code.]"
    ),
    "claim.plan/replanned": (
        "Claim planned anew, by what tracking shows now:"
        " [{kind:claim_kind}|a request to the carrier][, motive {motive}][, from {claimable_from:day} on]"
        "[; the latest date that the carrier has named is {due_on:day}][; the claim's term ends on {deadline_on:day}]."
        "[ {?by_words}{?second_sign}The problem was read from the carrier's text, without a confirmed code, and nothing moved for"
        " {silent_business_days:business_days} after it."
        "| {?by_words}The problem was read from the carrier's text, without a confirmed code.]"
    ),
    "claim.gives_way": (
        "The request for information ends: the refund that it asked about can be claimed now[, with motive {motive}], in a letter"
        " of its own."
    ),
    "claim.plan/cancelled": "Claim cancelled: the problem ended before it was filed.",
    "claim.plan/cancelled/was_another_parcels": (
        "Claim cancelled: the tracking code was corrected, and the one before was another parcel's."
    ),
    "claim.plan/not_claimed": "No claim for this problem.",
    "claim.plan/not_claimed/no_offer": "No claim: the carrier takes none for this kind of problem.",
    "claim.plan/not_claimed/no_offer.returning": (
        "No claim yet: a return can only be claimed once the parcel is back, and only if nobody caused it or asked for it."
    ),
    "claim.plan/not_claimed/presumed": (
        "No claim of its own: the loss is presumed from silence, and what is claimed of the carrier is the delay."
    ),
    "claim.plan/not_claimed/inside_carrier_term": (
        "No claim: late for the customer, not for the carrier[, whose own date is {due_on:day}]."
    ),
    "claim.plan/not_claimed/no_due_date": "No claim: the carrier has named no date, and none is made up.",
    "claim.plan/not_claimed/not_delivered_yet": (
        "No claim yet: delivery was attempted late, which can only be claimed once the parcel is delivered."
    ),
    "claim.plan/not_claimed/inside_latest_date": (
        "No claim: it came by the latest date that the carrier had named[, {due_on:day}]."
    ),
    "claim.plan/not_claimed/ended": "No claim: the problem ended before it could be claimed.",
    "claim.plan/not_claimed/no_desk": "No claim: this program files no claims with this carrier.",
    "claim.plan/not_claimed/switched_off": (
        "No claim: this carrier's claims are switched off (claims.mode: off in config.yaml)."
    ),
    "claim.plan/not_claimed/no_number": "No claim: the shipment has no active tracking number.",
    "claim.plan/not_claimed/one_claim_a_parcel": (
        "No other claim: the carrier has taken one for this parcel already[ (C{claim})][, protocol {protocol}]."
    ),
}
_CLAIMS: Final[Mapping[str, str]] = {
    "claim.window": "The claim waits: the carrier only takes it[ from {claimable_from:day} on| later].",
    "claim.window/expired": "The carrier's term for claiming ended before the claim was filed.",
    "claim.due": "The first allowed day came[, {claimable_from:day}]: the claim goes to the carrier.",
    "claim.needs_news": (
        "The claim waits: tracking has not answered since its day came, and the parcel may have been delivered."
    ),
    "claim.overtaken": "What the claim was planned for was over before it left: it is planned anew.",
    "claim.paced": (
        "The claim waits for its turn within the day: many parcels have the same problem[ (it leaves on {next_step_at:time})]."
    ),
    "claim.approved": "A person approved it, and the claim goes to the carrier.",
    "claim.letter": "A person sent the claim; it counts as filed.",
    "claim.letter_sent": "The letter left[ for {to}][, with {evidence}]. The carrier's answer comes to a person.",
    "claim.letter_waits": "The letter leaves with the next mails.",
    "claim.letter_follow_up": "No answer within the carrier's term: it is reminded in the same thread.",
    "claim.letter_reminded": "The reminder[ left for {to}| was tried once]: no other is written by itself.",
    "claim.hold.observe": (
        "Held: the shop still only observes; nothing leaves before the day in live_from."
        "[ The claim could have been filed from {claimable_from:day} on.]"
    ),
    "claim.hold.before_live": "Held: the problem began before the shop went live.",
    "claim.hold.propose": "Held: this carrier's claims wait for a person's approval.",
    "claim.hold.propose/held/switched_off": "Held: this carrier's claims were switched off after this one was planned.",
    "claim.hold.value_ceiling": "Held: the order's value asks for a person's approval.",
    "claim.hold.value_ceiling/held/value_unknown": (
        "Held: there is a value above which a person is asked, and this order's value is not known."
    ),
    "claim.hold.value_ceiling/held/above_ceiling": (
        "Held: the order's value is above the limit for claiming without asking."
    ),
    "claim.hold.by_letter": "Held: this carrier takes claims outside the program; a person has to send it.",
    "claim.hold.letter": (
        "Held: the letter did not leave, or nobody knows whether it did.[ The mail server or the program said: {reason:quote}.]"
    ),
    "claim.hold.by_words": (
        "Held: it asks for a refund of something read from the carrier's text, without a confirmed code. It waits for a code, for"
        " more days without movement[ (until {next_step_at:day})], or for a person."
    ),
    "claim.hold.missing_data": "Held: the order lacks the recipient's name, which the carrier asks for.",
    "claim.hold.configuration": (
        "Held: the configuration has to be put right.[ The carrier answered: {answer_text:quote} (code {answer_code}).]"
    ),
    "claim.hold.carrier_answer": (
        "Held: the carrier's answer needs a person.[ It answered: {answer_text:quote} (code {answer_code}).]"
    ),
    "claim.hold.restored": (
        "Held: the database was put back to an earlier copy, and this may have gone to the carrier already; a person decides."
    ),
    "claim.restored_look": (
        "The database was put back to an earlier copy: the carrier is asked first whether it has this claim already."
    ),
    "claim.hold.muted": "Held: the order is muted.",
    "claim.hold.template": "Held: a text has a fault.",
    "claim.lost_answer": (
        "The carrier did not answer the filing: before it is sent again, the carrier is asked whether it has it."
    ),
    "claim.not_sent": "The filing did not reach the carrier; it is tried again[ on {next_step_at:time}| later].",
    "claim.registered": "The carrier registered the claim[ under protocol {protocol}].",
    "claim.adopted": "The carrier had this claim already[, protocol {protocol}]; it is followed here from now on.",
    "claim.refused": "The carrier refused it for good[: {answer_text:quote}][ (code {answer_code})].",
    "claim.later": (
        "The carrier asked to wait[: {answer_text:quote}].[ It is tried again on {next_step_at:time}.| It is tried again later.]"
    ),
    "claim.look_first": (
        "The carrier answered with something that tracking had not shown[: {answer_text:quote}]."
        " Tracking is asked before it is tried again."
    ),
    "claim.switch*": (
        "The carrier did not take it as it was[: {answer_text:quote}]."
        "[ It goes again as {kind:claim_kind}, motive {motive}.| It goes again, differently.]"
    ),
    "claim.not_found": "This time the carrier did not find the claim[ {protocol}].",
    "claim.ask": "The carrier was asked for its answer.",
    "claim.follow": "The carrier has not answered yet.",
    "claim.indemnified": (
        "Tracking shows that the carrier has indemnified this parcel: it counts as accepted. When the money comes, a person"
        " records it (tracker claims answer)."
    ),
    "claim.follow_ends": "The claim is followed no more: the time for it is over.",
    "claim.not_followed": "Registered, but the carrier does not show how it goes on.",
    "claim.answered": "The carrier answered without accepting or refusing[: {text:quote}].",
    "claim.accepted": "The carrier accepted the claim[: {text:quote}].",
    "claim.rejected": "The carrier rejected the claim after looking at it[: {text:quote}].",
    "claim.paid": "The carrier paid the compensation.",
    "claim.account": "The claim went over to the contract that can follow this parcel.",
    "claim.second_problem": "Another problem of the parcel takes up the answered claim[, now with motive {motive}].",
    "claim.carrier_failing": (
        "The carrier's system has been failing for days; the claim is tried once a day, to the last day allowed."
    ),
    "claim.reopened": "The carrier took the reopening[ as {kind:claim_kind}][, protocol {protocol}].",
    "claim.reopen_adopted": "The reopening stood at the carrier already[, protocol {protocol}].",
    "claim.reopen_later": (
        "The carrier asked to wait with the reopening[: {answer_text:quote}].[ Next try on {next_step_at:time}.]"
    ),
    "claim.reopen_look": "The carrier did not find the protocol: the claim is looked for by the parcel's code.",
    "claim.reopen_refused": "The carrier did not take the reopening[: {answer_text:quote}][ (code {answer_code})].",
    "claim.reopen_term": "The claim is not reopened: the term has passed, or there is nothing left to ask for.",
    "claim.reopen*": (
        "The carrier will be asked to reopen the claim[ as {asked_kind:claim_kind} (motive {asked_motive})]"
        "[, because {asked_way:way}].[ The carrier said: {answer_text:quote}]"
    ),
    "claim.reopen_switch": (
        "The carrier did not take the reopening as it was."
        "[ It will be asked again as {asked_kind:claim_kind} (motive {asked_motive}).| It will be asked again, differently.]"
    ),
    "claim.reopen*/held": "Reopening the claim waits for a person.",
    "claim.contract*": (
        "The contract measures lateness by service level: the carrier takes no claim for this delay[: {answer_text:quote}]."
    ),
}
_HAND: Final[Mapping[str, str]] = {
    "hand.approve": "Approved[ by {who}| by a person][ ({note})].",
    "hand.reject": "Stopped[ by {who}| by a person][ ({note})]: it does not leave any more.",
    "hand.release": "Released[ by {who}| by a person][ ({note})].",
    "hand.mute": (
        "Order muted[ by {who}| by a person][ until {until:time}][ ({note})]: the customer gets no message,"
        " and the claims with the carrier go on."
    ),
    "hand.unmute": "Silence lifted[ by {who}| by a person][ ({note})]: the customer is told again.",
    "hand.cancel": "Cancelled[ by {who}| by a person][ ({note})]: it does not leave any more.",
    "hand.cancel/order_cancelled": (
        "Order cancelled[ by {who}| by a person][ ({note})]: the customer gets no more messages, and what the"
        " carrier has of claims is followed to its answer."
    ),
    "hand.uncancel": "Cancellation taken back[ by {who}| by a person][ ({note})]: the order is looked after again.",
    "hand.resolve": "Settled by hand[ by {who}| by a person][: {how:settled}][ ({note})].",
    "hand.report": "Reported[ by {who}| by a person][: {kind:reported}][ ({note})].",
    "hand.violation": "Opened: a person reported that the packaging was opened or that content is missing[ (since {since:day})].",
    "hand.misdelivery": "Delivered to somebody else[ on {since:day}], as a person reported.",
    "hand.not_received": (
        "Not received: it is said to be delivered[ on {delivered_at:day}], and the customer says that it did not come[ (reported"
        " on {reported_at:day})]."
    ),
    "hand.damage": "Damaged: a person reported that the parcel came broken[ (since {since:day})].",
    "hand.edit": (
        "Corrected by hand[ by {who}| by a person][: {field:field}][, before {was:date}][, now {now:date}][ ({note})]."
    ),
    "hand.overtaken": "A later file brought another value[ ({field:field})]: it counts instead of what was corrected by hand.",
    "hand.*": "Decided by hand[ by {who}| by a person][ ({note})].",
}
_MESSAGES: Final[Mapping[str, str]] = {
    "notice.*": "Message to the customer[ ({trigger:trigger})] prepared.",
    "notice.*/held": "Message to the customer[ ({trigger:trigger})] held: it waits for a person.",
    "notice.*/held/muted": "Message to the customer[ ({trigger:trigger})] held: the order is muted.",
    "notice.*/held/observe": "Message to the customer[ ({trigger:trigger})] held: the shop still only observes (live_from).",
    "notice.*/held/before_live": (
        "Message to the customer[ ({trigger:trigger})] held: what it tells began before the shop went live."
    ),
    "notice.*/held/restored": (
        "Message to the customer[ ({trigger:trigger})] held: the database was put back to an earlier copy; it may have left."
    ),
    "notice.*/not_told": "The customer was not told[ ({trigger:trigger})].",
    "notice.*/not_told/too_old": (
        "The customer was not told[ ({trigger:trigger})]: the news[, of {since:day},] was too old to be worth telling."
    ),
    "notice.*/not_told/ended_before_seen": (
        "The customer was not told[ ({trigger:trigger})]: the parcel had come to its end before it was first seen."
    ),
    "notice.*/not_told/damaged": (
        "The customer was not told[ ({trigger:trigger})]: the parcel was damaged, and that is what the customer hears of."
    ),
    "notice.*/not_told/order_silent": (
        "The customer was not told[ ({trigger:trigger})]: the order was cancelled or returned."
    ),
    "notice.*/postponed/daily_limit": (
        "News to the customer[ ({trigger:trigger})] put off to the next day: enough was told of this parcel on that day."
    ),
    "notice.*/postponed/day_taken": (
        "News to the customer[ ({trigger:trigger})] put off to the next day: the order had its message on that day."
    ),
    "notice.*/postponed/crowded_day": (
        "News to the customer[ ({trigger:trigger})] put off to the next day: many parcels with one cause, one message a day."
    ),
    "notice.*/not_told/parcel_limit": (
        "The customer was not told[ ({trigger:trigger})]: enough was told about this parcel's way."
    ),
    "notice.*/not_told/said_already": (
        "The customer was not told[ ({trigger:trigger})]: another message, of a later step or graver, says it."
    ),
    "notice.*/not_told/no_address": "The customer was not told[ ({trigger:trigger})]: the order has no e-mail address.",
    "notice.*/not_told/marketplace_address": (
        "The customer was not told[ ({trigger:trigger})]: the only address is the marketplace's, which must not be mailed."
    ),
    "message.readdressed": "The order has another e-mail address now: the message goes there, if it is still true.",
    "message.text_mended": "The text of this message was mended: it leaves, where it is still true.",
    "message.restored": (
        "Held: the database was put back to an earlier copy, and the message may have left already; a person decides."
    ),
    "message.live_from": "The shop is live: the message leaves, where it is still true.",
    "message.live_from/held/observe": "Held: the shop still only observes (live_from).",
    "message.live_from/held/before_live": "Held: what the message tells began before the shop went live.",
    "deliver.*": "The mail server dealt with the message.",
    "deliver.email/queued": (
        "The message has not left yet[ ({why:smtp})].[ It is tried again on {next_step_at:time}.]"
        "[ The server said: {reply:quote}]"
    ),
    "deliver.email/queued/stale_news": (
        "The message waits: tracking has had no news for more than two hours, and the parcel may have come by now."
        "[ It is tried again on {next_step_at:time}.]"
    ),
    "deliver.email/queued/delay_first": (
        "The message waits: the customer is told of this parcel's delay first, and this some hours after it."
        "[ It is tried again on {next_step_at:time}.]"
    ),
    "deliver.email/queued/address_changed": "The message waits: the order has another e-mail address now, and it goes there.",
    "deliver.email/sent": "The message was sent[ to {diverted_to}, and not to the customer]: the mail server took it.",
    "deliver.email/delivered": "The message was delivered.",
    "deliver.email/unconfirmed": (
        "The message left, and the mail server did not confirm it; it is not sent again without need."
    ),
    "deliver.email/bounced": "The address does not take the message[ ({why:smtp})].[ The server said: {reply:quote}]",
    "deliver.email/failed": "The message could not be delivered[ ({why:smtp})].[ The server said: {reply:quote}]",
    "deliver.email/suppressed/no_longer_true": "The message was not sent: what it told was no longer so when it was due.",
    "deliver.email/suppressed/order_silent": "The message was not sent: the order was cancelled.",
    "message.returned/bounced": "The message came back: it was not delivered[ ({said:smtp})].[ The server said: {reply:quote}]",
    "message.returned/delayed": (
        "The recipient's server has not taken the message yet; ours goes on trying[ ({said:smtp})]."
        "[ The server said: {reply:quote}]"
    ),
    "message.returned/complained": (
        "The recipient told the mail provider that the message was not wanted.[ It says: {reply:quote}]"
    ),
    "deliver.email/suppressed/address_suppressed": (
        "The message was not sent: this address is on the list of those that get no mail[ ({against:smtp})]. "
        "Correct the customer's e-mail address, or lift it with tracker unsuppress."
    ),
    "deliver.email/suppressed": "The message was not sent.",
    "deliver.email/expired": "The message expired unsent: it was too old to be worth telling.",
    "deliver.email/awaiting_person": "The message waits for a person[ ({why:smtp})].[ The server said: {reply:quote}]",
    "deliver.email/awaiting_person/no_shop": "The message waits for a person: the shop is no longer in the configuration.",
    "deliver.email/awaiting_person/observe": "Held: the shop only observes again (live_from).",
    "deliver.email/awaiting_person/muted": "The message did not leave: the order is muted.",
    "deliver.email/awaiting_person/broken_text": "The message waits for a person: its text has a fault.",
    "deliver.email/bounced/bad_address": "The message did not leave: the customer's address is no valid e-mail address.",
}
_SHIPMENTS: Final[Mapping[str, str]] = {
    "deadline.calculator/named": (
        "Tracking names no date: by the carrier's calculator, posted on {posted_on:day}, it is due on {due_on:day}."
    ),
    "deadline.calculator/missing": "No due date could be computed: something is missing[ ({said})].",
    "deadline.calculator/refused": "The carrier did not compute a due date[: {said:quote}].",
    "poll.*": "This shipment's tracking is asked about no more.",
    "poll.closed/closed/final": "Tracking is asked about no more: the shipment has come to its end.",
    "poll.closed/closed/long_final": "Tracking is asked about no more: nothing new has come about the problem for long.",
    "poll.closed/closed/not_found": (
        "Tracking is asked about no more: the carrier has never shown this number. Check the number in the order."
    ),
    "poll.closed/closed/invalid_number": (
        "Tracking is asked about no more: the carrier does not know this number. Correct the number in the order."
    ),
    "poll.closed/closed/other_account": (
        "Tracking is asked about no more: the number is another contract's, which these credentials do not see."
    ),
    "poll.closed/closed/no_number": "Tracking is asked about no more: the shipment has no active number.",
}
ENGLISH: Final = Language(
    code="en",
    sentences={
        "*": "Decided: {reason}.",
        **_PROBLEMS,
        **_PLANS,
        **_CLAIMS,
        **_HAND,
        **_MESSAGES,
        **_SHIPMENTS,
        **STANDING,
        **ALERTS,
    },
    words=WORDS,
    labels={
        "now": "Now",
        "details": "Technical details",
        "order": "Order",
        "none": "No problem has been seen with this shipment.",
        "since": "since",
        "unread": "only movements of unknown code",
        "on": "on",
        "more": "The exact log: tracker explain {id} --details",
        "log": "History",
        "other": "Other messages and decisions",
        "over": "over",
        "others": "… and {count} more",
        "by_hand": "Done by hand to the order",
    },
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    business_days=("business day", "business days"),
    days=("day", "days"),
    at=", ",
    holidays="en_US",
    closed_day="closed day",
)
