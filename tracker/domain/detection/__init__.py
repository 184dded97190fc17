"""What is wrong with a shipment: facts in, findings out, and how they differ from the problems that stand. Pure.

Each rule has a name and a version; both go with every problem it opens, so that `explain` can say what was applied.
`since` is the instant at which the facts made it true, not the instant at which we looked.
"""

from tracker.domain.detection.episodes import RESOLUTIONS as RESOLUTIONS
from tracker.domain.detection.episodes import detect as detect
from tracker.domain.detection.facts import RECHECK as RECHECK
from tracker.domain.detection.facts import Changes as Changes
from tracker.domain.detection.facts import Facts as Facts
from tracker.domain.detection.facts import Finding as Finding
from tracker.domain.detection.facts import KnownProblem as KnownProblem
from tracker.domain.detection.orders import OrderFacts as OrderFacts
from tracker.domain.detection.orders import detect_order as detect_order
from tracker.domain.detection.rules import ENDED as ENDED
from tracker.domain.detection.rules import RULE_VERSIONS as RULE_VERSIONS
from tracker.domain.detection.rules import SILENCES as SILENCES
from tracker.domain.detection.rules import find as find
