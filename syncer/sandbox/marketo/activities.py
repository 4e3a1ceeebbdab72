"""The activity log, of the few types that a test or a page wants to count (Adobe, "Activities")."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from syncer.sandbox.marketo.field import timestamp
from syncer.sandbox.marketo.gate import Answer, Call, MarketoError, Operation
from syncer.sandbox.marketo.paging import make_place, page_size, read_place

PUSH = 145
ADD_TO_LIST = 24
REMOVE_FROM_LIST = 25
DELETE_LEAD = 37
TYPES = {
    ADD_TO_LIST: "Add to List",
    REMOVE_FROM_LIST: "Remove from List",
    DELETE_LEAD: "Delete Lead",
    PUSH: "Push Lead to Marketo",
}
MAX_TYPES = 10
MAX_LEADS = 30


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that happened to a lead."""

    id: int
    lead_id: int
    type_id: int
    moment: float
    subject_id: int | None
    subject: str
    attributes: dict[str, Any]

    @property
    def type_name(self) -> str:
        """The type in words."""
        return TYPES[self.type_id]

    def view(self) -> dict[str, Any]:
        """The activity as a read gives it; attributes without a value are left out."""
        return {
            "id": self.id,
            "marketoGUID": str(self.id),
            "leadId": self.lead_id,
            "activityDate": timestamp(self.moment),
            "activityTypeId": self.type_id,
            "primaryAttributeValueId": self.subject_id,
            "primaryAttributeValue": self.subject,
            "attributes": [
                {"name": name, "value": value} for name, value in self.attributes.items() if value is not None
            ],
        }


@dataclass(slots=True)
class Activities:
    """All activities, oldest first."""

    entries: list[Activity] = field(default_factory=list)

    def add(
        self, type_id: int, lead_id: int, moment: float, subject: str, subject_id: int | None = None, **attributes: Any
    ) -> None:
        """Notes an activity."""
        number = len(self.entries) + 1
        self.entries.append(Activity(number, lead_id, type_id, moment, subject_id, subject, attributes))

    def move(self, loser: int, winner: int) -> None:
        """Gives the activities of a merged lead to the winner."""
        self.entries = [
            each
            if each.lead_id != loser
            else Activity(each.id, winner, each.type_id, each.moment, each.subject_id, each.subject, each.attributes)
            for each in self.entries
        ]


async def paging_token(call: Call) -> Answer:
    """GET /rest/v1/activities/pagingtoken.json: a place in the log by date."""
    text = call.required("sinceDatetime")
    try:
        since = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise MarketoError("1001", f"Invalid value '{text}'. Required of type 'datetime'") from None
    moment = (since if since.tzinfo is not None else since.replace(tzinfo=UTC)).timestamp()
    place = sum(1 for each in call.world.activities.entries if each.moment < moment)
    return Answer(more={"nextPageToken": make_place(place)})


def _page(call: Call, types: set[int], leads: set[int]) -> Answer:
    """A page always carries a token; one without rows has no `result` at all, as recorded."""
    start, entries = read_place(call.required("nextPageToken")), call.world.activities.entries
    end = min(len(entries), start + page_size(call))
    shown = [
        each.view() for each in entries[start:end] if each.type_id in types and (not leads or each.lead_id in leads)
    ]
    return Answer(shown or None, {"nextPageToken": make_place(end), "moreResult": end < len(entries)})


async def activities(call: Call) -> Answer:
    """GET /rest/v1/activities.json."""
    type_ids = {int(text) for text in call.values("activityTypeIds") if text.isdecimal()}
    if not type_ids:
        raise MarketoError("1002", "Missing value for the required parameter 'activityTypeIds'")
    if len(type_ids) > MAX_TYPES:
        raise MarketoError("1003", f"Too many activityTypeIds, maximum is {MAX_TYPES}")
    lead_ids = {int(text) for text in call.values("leadIds") if text.isdecimal()}
    if len(lead_ids) > MAX_LEADS:
        raise MarketoError("1003", f"Too many leadIds, maximum is {MAX_LEADS}")
    return _page(call, type_ids, lead_ids)


async def deleted_leads(call: Call) -> Answer:
    """GET /rest/v1/activities/deletedleads.json."""
    return _page(call, {DELETE_LEAD}, set())


async def activity_types(_call: Call) -> Answer:
    """GET /rest/v1/activities/types.json."""
    return Answer([{"id": number, "name": name, "description": name} for number, name in TYPES.items()])


OPERATIONS = (
    Operation("GET", "/rest/v1/activities/pagingtoken.json", paging_token),
    Operation("GET", "/rest/v1/activities/types.json", activity_types),
    Operation("GET", "/rest/v1/activities.json", activities),
    Operation("GET", "/rest/v1/activities/deletedleads.json", deleted_leads),
)
