"""Where rows go before they are deleted: objects in a bucket, each with a manifest."""
