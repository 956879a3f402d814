"""Images of functions: built and run for real, where podman, buildah and runc are."""
