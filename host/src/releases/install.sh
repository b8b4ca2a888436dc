#!/bin/sh
# Installs the SysManage agent from this host and enrols the machine. The host fills in what stands between at-signs.
#   sh install.sh --ca FILE --token TOKEN [--name NAME] [--root DIR] [--no-enrol]
# --root puts everything below DIR and starts nothing: for images.
set -eu
base='@BASE@'
gateway='@GATEWAY@'
fingerprint='@FINGERPRINT@'
ca='' token='' name='' root='' enrol=yes
fail() { echo "install: $*" >&2; exit 1; }
while [ $# -gt 0 ]; do
    case $1 in
    --ca) ca=${2:?--ca needs a file}; shift 2 ;;
    --token) token=${2:?--token needs a token}; shift 2 ;;
    --name) name=${2:?--name needs a name}; shift 2 ;;
    --root) root=${2:?--root needs a folder}; shift 2 ;;
    --no-enrol) enrol=no; shift ;;
    *) fail "unknown option: $1" ;;
    esac
done
[ -n "$ca" ] || fail '--ca is missing: the PEM file of the authority'
[ "$enrol" = no ] || [ -n "$token" ] || fail '--token is missing: make one on the host'
[ "$(sed /-----/d "$ca" | base64 -d | sha256sum | cut -c-64)" = "$fingerprint" ] ||
    fail 'the authority in --ca has another fingerprint'
[ "$(uname -s)" = Linux ] || fail "this script installs on Linux; $(uname -s) needs the package for it"
case $(uname -m) in
x86_64 | amd64) arch=x86_64 ;;
aarch64 | arm64) arch=aarch64 ;;
armv7l) arch=armv7 ;;
riscv64) arch=riscv64gc ;;
*) fail "there is no agent for $(uname -m)" ;;
esac
libc=gnu
if ldd --version 2>&1 | grep -qi musl; then libc=musl; fi
[ "$arch" != armv7 ] || libc="${libc}eabihf"
target=$arch-unknown-linux-$libc
sum='' version=''
pick() {
    case $1 in
@PROGRAMS@
    *) ;;
    esac
}
pick "$target"
[ -n "$sum" ] || fail "the host has no agent for $target; add one with: sysmanage agent-release add FILE"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run this as root'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "Fetching the agent $version for $target"
curl -fsS --retry 3 --max-time 600 --cacert "$ca" -o "$work/agent" "$base/install/agent/$target"
echo "$sum  $work/agent" | sha256sum -c --status || fail 'the agent that came is not the one the host announced'
mkdir -p "$root/usr/bin" "$root/etc/sysmanage-agent" "$root/var/lib/sysmanage-agent"
chmod 700 "$root/var/lib/sysmanage-agent"
chmod 755 "$work/agent"
# Into a sibling, then over the old one: an agent that runs keeps its file.
cp "$work/agent" "$root/usr/bin/.sysmanage-agent.new"
mv "$root/usr/bin/.sysmanage-agent.new" "$root/usr/bin/sysmanage-agent"
mkdir -p "$root/lib/systemd/system"
cat >"$root/lib/systemd/system/sysmanage-agent.service" <<'UNIT'
@UNIT@
UNIT
if [ "$enrol" = yes ]; then
    echo "Enrolling with $gateway"
    set -- --data "$root/var/lib/sysmanage-agent" enroll --server "$gateway" --ca-fingerprint "$fingerprint"
    [ -z "$name" ] || set -- "$@" --name "$name"
    SYSMANAGE_AGENT_TOKEN=$token "$root/usr/bin/sysmanage-agent" "$@"
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable sysmanage-agent.service
    [ "$enrol" = no ] || systemctl restart sysmanage-agent.service
elif [ "$enrol" = yes ]; then
    echo "There is no systemd here. Start the agent with: sysmanage-agent run"
fi
echo "Done: sysmanage-agent $version"
