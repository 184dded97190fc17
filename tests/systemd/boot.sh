#!/bin/bash
# Runs as the first process of new namespaces and becomes a real systemd, on an overlay of this machine's own files: nothing
# that it or the service writes reaches them. Arguments: a work folder, the program's source, the folder of
# its libraries, the folder and the version of the Python that runs it.
set -euo pipefail
work=$1 source=$2 libraries=$3 python=$4 version=$5
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/inner" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/inner" "$work/root"
cd "$work/root"

# The program where the unit expects it, whatever hardening hides of its real place.
home=opt/shipment-tracker
mkdir -p "$home/bin" "$home/source" "$home/libraries" "$home/python"
mount --bind "$source" "$home/source"
mount --bind "$libraries" "$home/libraries"
mount --bind "$python" "$home/python"
cat > "$home/bin/tracker" <<PROGRAM
#!/bin/sh
export LD_LIBRARY_PATH=/$home/python/lib
PYTHONPATH=/$home/source:/$home/libraries PYTHONDONTWRITEBYTECODE=1 exec /$home/python/bin/python$version -m tracker "\$@"
PROGRAM
chmod 0755 opt/shipment-tracker/bin/tracker

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# The kernel is the real machine's: nothing here may set it.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0755 tmpfs dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
touch dev/console
mount --bind /dev/null dev/console
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm

# What a test machine needs no minute of.
mkdir -p etc/systemd/system
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-timesyncd.service systemd-networkd.service \
  systemd-resolved.service systemd-logind.service systemd-remount-fs.service systemd-random-seed.service \
  systemd-hwdb-update.service systemd-journal-flush.service systemd-update-utmp.service systemd-firstboot.service \
  systemd-sysctl.service systemd-modules-load.service timers.target systemd-machine-id-commit.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount prometheus.service dovecot.service postgresql.service; do
  ln -sfn /dev/null "etc/systemd/system/$unit"
done
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' > etc/systemd/system/trial.target
rm -rf var/log/journal
echo uninitialized > etc/machine-id

mkdir -p old
pivot_root . old
cd /
umount -l old
# As systemd does it on a machine and not in a container: credentials reach a service by a mount that spreads.
mount --make-rshared /
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=trial.target --log-level=info
