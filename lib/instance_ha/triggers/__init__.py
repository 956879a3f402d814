"""CloudEvents between our functions: made, signed, sent, and checked on arrival."""
