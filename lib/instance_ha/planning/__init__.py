"""What a recovery of a failed host would do: read and decided here, for the recovery itself and for a dry run of it."""
