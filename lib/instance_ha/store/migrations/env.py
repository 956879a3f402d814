"""What Alembic runs; the connection is given by ``store.migrate``."""

from alembic import context
from instance_ha.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
