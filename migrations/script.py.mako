"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


# On PostgreSQL the rows of users are seen, and changed, only after op.execute("SET LOCAL ROLE uuutorrent_system").
# Tables are made and changed before that, or after op.execute("RESET ROLE").
def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
