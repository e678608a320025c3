"""The schema, by subject. Each table has one owner module, the only one that names its row class.

Times are aware UTC (`Instant`), sizes are bytes in 64-bit integers, flags are booleans. Migrations are in
`migrations/`; a test holds them equal to these pages on both databases.
"""

from uuutorrent.store import policies
from uuutorrent.store.rows.automation import (
    ChannelRow,
    MeterRow,
    NoticeRow,
    ObservationRow,
    PolicyRow,
    PreferenceRow,
    PursuitRow,
    ReplacementRow,
    ServedRow,
    ShowModeRow,
    TimelineRow,
    TrafficDayRow,
    TrafficRow,
    TreatmentRow,
)
from uuutorrent.store.rows.base import Base
from uuutorrent.store.rows.feeds import (
    FeedRow,
    RuleRow,
    TakingRow,
)
from uuutorrent.store.rows.people import (
    AuditRow,
    EgressRow,
    EntryRow,
    FactorRow,
    InviteRow,
    KeyRow,
    LastListRow,
    LimitRow,
    LinkRow,
    UserRow,
)
from uuutorrent.store.rows.releases import (
    BlockRow,
    CorrectionAnswerRow,
    CorrectionRow,
    HabitRow,
    ShowTasteRow,
    TasteRow,
    UnblockRow,
)
from uuutorrent.store.rows.torrents import (
    ClaimRow,
    GrabRow,
    KeptRow,
    LookRow,
    PanicRow,
    PickRow,
    ShowNameRow,
    StilledRow,
    TorrentRow,
)

__all__ = [
    "AuditRow",
    "Base",
    "BlockRow",
    "ChannelRow",
    "ClaimRow",
    "CorrectionAnswerRow",
    "CorrectionRow",
    "EgressRow",
    "EntryRow",
    "FactorRow",
    "FeedRow",
    "GrabRow",
    "HabitRow",
    "InviteRow",
    "KeptRow",
    "KeyRow",
    "LastListRow",
    "LimitRow",
    "LinkRow",
    "LookRow",
    "MeterRow",
    "NoticeRow",
    "ObservationRow",
    "PanicRow",
    "PickRow",
    "PolicyRow",
    "PreferenceRow",
    "PursuitRow",
    "ReplacementRow",
    "RuleRow",
    "ServedRow",
    "ShowModeRow",
    "ShowNameRow",
    "ShowTasteRow",
    "StilledRow",
    "TakingRow",
    "TasteRow",
    "TimelineRow",
    "TorrentRow",
    "TrafficDayRow",
    "TrafficRow",
    "TreatmentRow",
    "UnblockRow",
    "UserRow",
]

policies.protect(Base.metadata)
