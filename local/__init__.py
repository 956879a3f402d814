"""The one-machine runtime: gateway, events, cron, Postgres, perhaps a simulated cloud. None of it is deployed."""
