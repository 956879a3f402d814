#!/usr/bin/env bash
# Builds a real kube-apiserver of Debian's source package into a folder, and unpacks etcd beside it: about 15 minutes.
# Needs the dpkg-dev tools and rsync; installs nothing. Then: python -m tests.recordings.kubernetes.record FOLDER
set -euo pipefail
HERE=$(realpath "${1:?usage: build.sh FOLDER}")
mkdir -p "$HERE/apt/parts" "$HERE/apt/lists/partial" "$HERE/apt/cache/archives/partial" "$HERE/bin"

# The machine's own mirror and keys serve the sources too. Only bookworm's package has the vendored tree.
sed -n 's/^Suites:.*/Suites: bookworm/; s/^Types:.*/Types: deb deb-src/; /^#/d; p; /^$/q' \
  /etc/apt/sources.list.d/debian.sources > "$HERE/apt/parts/bookworm.sources"
cat > "$HERE/apt/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$HERE/apt/parts";
Dir::State::Lists "$HERE/apt/lists";
Dir::Cache "$HERE/apt/cache";
END
export APT_CONFIG=$HERE/apt/apt.conf
apt-get update -q
cd "$HERE"
apt-get source -q --download-only kubernetes
apt-get download -q golang-1.19-go golang-1.19-src etcd-server
for package in ./*.deb; do dpkg -x "$package" root; done
ln -sf "$HERE/root/usr/bin/etcd" bin/etcd

# Its time is before Go's modules: the tree has to stand in a GOPATH.
tree=$HERE/gopath/src/k8s.io/kubernetes
mkdir -p "$(dirname "$tree")"
[ -d "$tree" ] || dpkg-source -x kubernetes_*.dsc "$tree"
export GOROOT=$HERE/root/usr/lib/go-1.19 GOPATH=$HERE/gopath GOCACHE=$HERE/cache GO111MODULE=off GOFLAGS= GOPROXY=off
export CGO_ENABLED=0 PATH=$HERE/root/usr/lib/go-1.19/bin:$PATH
cd "$tree"

# The one generated package that the source package lacks: the descriptions of all types.
packages=$(grep -rl '^// +k8s:openapi-gen=' --include='*.go' --exclude='*_test.go' pkg cmd plugin staging/src/k8s.io vendor/k8s.io/ |
  xargs -n1 dirname | sed 's#^staging/src/#vendor/#' | sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
nice go build -o "$HERE/bin/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
"$HERE/bin/openapi-gen" --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi \
  -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$HERE/violations"
nice go build -o "$HERE/bin/kube-apiserver" ./cmd/kube-apiserver
