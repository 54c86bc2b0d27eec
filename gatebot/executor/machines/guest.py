# SPDX-License-Identifier: Apache-2.0
"""What runs inside a virtual machine before anybody logs in, and what it is told there.

Pure: texts only. A machine starts as far as it can without being anybody, says that it waits, and reads its orders from
its console: who it is, what time it is, by which key it is known. Only then does it answer. So a saved state holds
nobody's identity, and machines that come from one state have nothing secret in common.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from ..providers.bubblewrap import HOME, OWN, PLAY

#: What a machine says when it takes orders, when it asks what time it is, and when it answers SSH.
WAITING = b"gatebot: waits\n"
CLOCK = b"gatebot: what time is it\n"
OPEN = b"gatebot: open\n"
BOOT = "/usr/lib/gatebot/boot"
_KEYS = "/etc/ssh/gatebot_keys"
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"

#: The modules that a kernel may need before it has a disk; those that depend on others fail at first, so: three rounds.
MODULES = (
    *("virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_mmio"),
    *("virtio_ccw", "virtio_blk", "failover", "net_failover", "virtio_net", "rng-core", "virtio-rng"),
    *("crc32c_generic", "libcrc32c", "crc16", "mbcache", "jbd2", "ext4"),
)

INIT = f"""\
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev /new
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
for round in 1 2 3; do
  for name in {" ".join(MODULES)}; do [ ! -e /modules/$name.ko ] || $b insmod /modules/$name.ko 2>/dev/null; done
done
if $b grep -q gatebot.trial /proc/cmdline; then $b printf '\\ngatebot: waits\\n'; $b poweroff -f; fi
left=100
until $b mount -t ext4 -o noatime /dev/vda /new 2>/dev/null; do
  left=$((left - 1)); [ $left -gt 0 ] || {{ echo "gatebot: no disk"; $b poweroff -f; }}
  $b sleep 0.1
done
for name in proc sys dev; do $b mount --move /$name /new/$name; done
exec $b switch_root /new {BOOT}
"""

_BOOT = f"""\
#!/bin/sh
# The first process of the machine, and the last: it reaps what is left. sshd -r does not start itself anew for each
# connection, which takes long where it is emulated.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
mkdir -p /run/sshd /run/lock {OWN}
chown 1000:1000 {OWN}
chmod 1777 /tmp /var/tmp /dev/shm
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
resize2fs /dev/vda >/dev/null 2>&1
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up && ip route add default via 10.0.2.2
if grep -q gatebot.warm /proc/cmdline; then
  # Whoever logs in first finds all in memory that a first login reads. The keys are nobody's and go at once.
  ssh-keygen -q -t ed25519 -N '' -f /run/warm && cp /run/warm.pub {_KEYS}
  /usr/sbin/sshd -r -o HostKey=/run/warm -p 1022 -o PidFile=/run/warm.pid 2>/dev/null
  until [ -s /run/warm.pid ]; do sleep 0.1; done
  ssh -F none -i /run/warm -p 1022 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null job@127.0.0.1 \\
    'env -i sh -c "grep -lszF x /proc/self/environ; cat /dev/null; rm -f /dev/null; mkdir -p /; tar --version"' \\
    >/dev/null 2>&1 </dev/null
  kill "$(cat /run/warm.pid)"
  for one in 'perl -e 1' 'date' 'hostname' 'head -n 0' 'base64 --version' 'prlimit --version'; do $one; done >/dev/null
  rm -f /run/warm* {_KEYS}
fi
stty -F /dev/console raw -echo
printf '\\ngatebot: waits\\n' > /dev/console
grep -m 1 . < /dev/console | base64 -d > /run/orders
. /run/orders
rm -f /run/orders
/usr/sbin/sshd -r
until [ -s /run/sshd.pid ]; do sleep 0.02; done
printf '\\ngatebot: open\\n' > /dev/console
while :; do sleep 3600; done
"""

_SSHD = f"""\
HostKey {_HOST_KEY}
AuthorizedKeysFile {_KEYS}
AllowUsers job
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
UsePAM no
UseDNS no
StrictModes no
MaxSessions 1000
MaxStartups 100
PrintMotd no
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
"""

#: What root of a job is told, too: where package tools may go, and by what certificates.
_KEPT = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_*", "npm_config_*"),
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)

#: Files of a machine's disk, beside those of its packages; the first is executable.
FILES: Mapping[str, str] = {
    BOOT: _BOOT,
    "/etc/ssh/sshd_config": _SSHD,
    "/etc/sudoers": f'Defaults env_keep += "{" ".join(_KEPT)}"\n'
    "root ALL=(ALL:ALL) ALL\njob ALL=(ALL:ALL) NOPASSWD: ALL\n",
    "/etc/pam.d/sudo": "".join(f"{kind} sufficient pam_permit.so\n" for kind in ("auth", "account", "session")),
    "/etc/pam.d/other": "".join(f"{kind} required pam_deny.so\n" for kind in ("auth", "account", "session")),
    "/etc/resolv.conf": "nameserver 10.0.2.3\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\njob:x:1000:1000:job:/home/job:/bin/sh\n"
    "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "/etc/group": "root:x:0:\ntty:x:5:\nsudo:x:27:job\njob:x:1000:\nnogroup:x:65534:\n",
}
#: The certificates that programs in a machine trust.
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
#: Directories of a machine that are the job's.
OWNED = (HOME, PLAY)

#: How late a clock may be, in hundredths of a second; an answer that may be older is asked for anew, so many times.
_LATE = 100
_QUESTIONS = 10
_PANIC = "Kernel panic"


def answer(now: float) -> bytes:
    """The answer to `CLOCK`, as a machine reads it."""
    return f"{now:.3f}\n".encode()


def last_words(said: bytes) -> str:
    """Why a machine ended, of what it said: its kernel's own reason where there is one, else the last lines."""
    text = said.decode("utf-8", "replace").replace("\r", "").strip()
    _, panic, why = text.rpartition(_PANIC)
    if panic:
        return (panic + why)[:300]
    return text if len(text) <= 300 else text[-300:].partition("\n")[2] or text[-300:]


#: The clock comes last. Minutes may go by until a busy machine has read and done the rest, so it asks when it is ready,
#: and measures by its own time since it started (which needs no setting) how old the answer can be.
ASK_CLOCK = f"""\
left={_QUESTIONS}
while [ $left -gt 0 ]; do
  read -r asked rest < /proc/uptime
  printf '\\n{CLOCK.decode().strip()}\\n' > /dev/console
  read -r now < /dev/console && date -s @$now >/dev/null
  read -r told rest < /proc/uptime
  [ $((${{told%.*}}${{told#*.}} - ${{asked%.*}}${{asked#*.}})) -gt {_LATE} ] || break
  left=$((left - 1))
done
"""


#: Devices of modules that the kernel loads when they are used are not there before; anybody may use these.
_NESTED = """\
modprobe -a tun fuse
chmod 666 /dev/net/tun /dev/fuse
"""


@dataclass(frozen=True, slots=True)
class Orders:
    """Who a machine is: its name, its number, its keys, and what it starts its randomness from.

    `nested`: its jobs make networks of their own, so the devices and modules for that are theirs to use.
    """

    hostname: str
    machine_id: str
    host_key: str
    authorized: str
    seed: bytes
    processes: int
    nested: bool = False

    def line(self, loses: int) -> bytes:
        """As the machine reads it; its console `loses` what it takes in before its state is there."""
        return b"\n" * loses + base64.b64encode(self._script().encode()) + b"\n"

    def _script(self) -> str:
        # Linux takes what is written to its randomness at once only when it is told to: RNDADDENTROPY, RNDRESEEDCRNG,
        # whose numbers are other ones on POWER.
        reseed = (
            'open F, "+<", "/dev/urandom"; my $s = pack "H*", $ARGV[0]; '
            "my @n = $ARGV[1] =~ /^ppc/ ? (0x80085203, 0x20005207) : (0x40085203, 0x5207); "
            'ioctl F, $n[0], pack("iia*", 8 * length $s, length $s, $s) and ioctl F, $n[1], 0 or die $!'
        )
        return f"""\
perl -e '{reseed}' {self.seed.hex()} $(uname -m)
hostname {self.hostname}
echo {self.hostname} > /etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n::1 localhost\\n' {self.hostname} > /etc/hosts
echo {self.machine_id} > /etc/machine-id
umask 077
cat > {_HOST_KEY} <<'END'
{self.host_key.strip()}
END
umask 022
echo '{self.authorized.strip()}' > {_KEYS}
prlimit --nproc={self.processes} --pid $$
{_NESTED if self.nested else ""}{ASK_CLOCK}"""
