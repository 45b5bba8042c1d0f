#!/bin/sh
# boot.sh xen|powerpc|arm64 KERNEL INITRD OUT [ARGUMENTS OF THE KERNEL]
# Boots KERNEL under QEMU and leaves in the folder OUT: console.log, trace, kallsyms. With xen, $XEN is
# the hypervisor. SMP=2 gives two CPUs; PLUGIN=watch.so,list=LIST,out=HITS is the plugin of arm64.
set -e
mkdir -p "$4"
smp=${SMP:-1}
args="rdinit=/init loglevel=4 nokaslr $5"
common="-smp $smp -nodefaults -nographic -no-reboot -monitor none"
case $1 in
xen) # smap and smep off: QEMU 7.2 faults on them in the iretq of a PV guest.
	qemu-system-x86_64 -M q35 -cpu max,la57=off,smap=off,smep=off -m 3G $common -accel tcg \
		-kernel "$XEN" -append "com1=115200,8n1 console=com1 dom0_mem=2G" \
		-initrd "$2 console=hvc0 out=/dev/ttyS1 $args,$3" \
		-serial "file:$4/console.log" -serial "file:$4/stream" ;;
powerpc) # POWER8 has the hash MMU, CPU=POWER9 radix.
	qemu-system-ppc64 -M pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off \
		-cpu "${CPU:-POWER8}" -m 2G $common -accel tcg,thread=single \
		-kernel "$2" -initrd "$3" -append "console=hvc0 out=/dev/hvc1 $args" \
		-chardev "file,id=c0,path=$4/console.log" -device spapr-vty,chardev=c0,reg=0x71000001 \
		-chardev "file,id=c1,path=$4/stream" -device spapr-vty,chardev=c1,reg=0x71000002 ;;
arm64)
	qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a72 -m 2G $common -accel tcg \
		-kernel "$2" -initrd "$3" -append "console=ttyAMA0 out=/dev/ttyAMA0 $args" \
		-serial "file:$4/stream" ${PLUGIN:+-plugin "$PLUGIN"} ;;
esac
tr -d '\r' < "$4/stream" | sed -n '/^=BEGIN=/,/^=END=/p' | sed '/^=/d' | base64 -di | tar xzf - -C "$4"
