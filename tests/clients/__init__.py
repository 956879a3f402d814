"""The functions over HTTP: one running installation for all of them."""
