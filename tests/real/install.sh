#!/usr/bin/env bash
# Installs what the real tier needs: Consul, MariaDB, pgbouncer, nginx, promtool, a kernel, libvirt with a guest, ipmitool,
# Chromium, and the Python packages that speak to them. Debian, as root.
set -euo pipefail
cd "$(dirname "$0")/../.."
HERE=$PWD/.real
READY=$HERE/installed
[ -e "$READY" ] && [ -x /usr/sbin/mariadbd ] && [ -x /usr/bin/ipmitool ] && [ -x /usr/bin/chromium ] &&
  [ -e "$HERE/root/usr/sbin/pgbouncer" ] && [ -e "$HERE/root/usr/sbin/nginx" ] && [ -e "$HERE/root/usr/bin/promtool" ] &&
  .venv/bin/python -c 'import libvirt, playwright, virtualbmc' 2>/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "the real tier is installed on Debian, as root; its tests are skipped" >&2
  exit 0
fi
rm -rf "$HERE"
mkdir -p "$HERE/packages"
export DEBIAN_FRONTEND=noninteractive

apt-get update -q
apt-get install -q -y --no-install-recommends iproute2 busybox-static kmod cpio gcc pkg-config \
  libc-ares2 libevent-2.1-7 libvirt-dev libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 \
  qemu-guest-agent mariadb-server ipmitool chromium fonts-dejavu-core

# The QEMU driver does not start without the user that Debian's libvirt-daemon-system makes.
getent passwd libvirt-qemu >/dev/null || useradd --system --user-group --no-create-home libvirt-qemu

# nginx for tests/gateways and a kernel for the guest: they are unpacked, not installed; an installed nginx would start.
(cd "$HERE/packages" && apt-get download -q nginx)
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -1)
(cd "$HERE/packages" && apt-get download -q "$kernel" prometheus)    # of Prometheus only promtool is used

# Pgbouncer is unpacked as well: installed, it would bring a server, and start.
(cd "$HERE/packages" && apt-get download -q pgbouncer)

# Consul is in Debian's bullseye only: its package runs here as well. The machine's own mirror and keys serve it.
other=$HERE/bullseye
mkdir -p "$other/parts" "$other/lists/partial" "$other/cache/archives/partial"
sed -n 's/^Suites:.*/Suites: bullseye/; /^#/d; p; /^$/q' /etc/apt/sources.list.d/debian.sources > "$other/parts/bullseye.sources"
bullseye=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$other/parts" -o Dir::State::Lists="$other/lists"
  -o Dir::Cache="$other/cache")
apt-get update -q "${bullseye[@]}"
(cd "$HERE/packages" && apt-get download -q consul "${bullseye[@]}")

for package in "$HERE"/packages/*.deb; do
  dpkg -x "$package" "$HERE/root"
done
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --no-deps -r requirements/real.txt
touch "$READY"
