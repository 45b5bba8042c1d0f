#!/bin/sh
# mkinitrd.sh BUSYBOX OPS RECORD OUT: an initramfs. RECORD is what `lazymmu conform --probes` prints.
set -e
here=$(dirname "$0")
dir=$(mktemp -d)
mkdir -p "$dir/bin" "$dir/dev"
cp "$1" "$dir/bin/busybox"
cp "$2" "$dir/ops"
sed '/^# Mark each operation/,$d' "$3" > "$dir/record"
cp "$here/init" "$dir/init"
chmod 755 "$dir/init" "$dir/ops" "$dir/bin/busybox"
(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) > "$4"
rm -r "$dir"
