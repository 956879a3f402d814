#!/usr/bin/env bash
# Installs what the tests of images need: podman, buildah, runc, and a base image made of Debian's packages. Debian, as root.
set -euo pipefail
cd "$(dirname "$0")/../.."
HERE=$PWD/.images
READY=$HERE/installed
[ -e "$READY" ] && command -v podman buildah runc >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tools for images are installed on Debian, as root; the tests of images are skipped" >&2
  exit 0
fi
mkdir -p "$HERE"
export DEBIAN_FRONTEND=noninteractive
apt="apt-get -q -o DPkg::Lock::Timeout=300"
$apt update
$apt install -y --no-install-recommends podman buildah runc debootstrap

# What stands for the official Python image: Debian's own, from the mirror that this machine uses.
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -1)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
rm -rf "$HERE/rootfs"
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$HERE/rootfs" "$mirror"
rm -rf "$HERE"/rootfs/var/cache/apt/archives/*.deb "$HERE"/rootfs/var/lib/apt/lists/*
touch "$READY"
