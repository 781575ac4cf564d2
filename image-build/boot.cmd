# U-Boot: which slot? RAUC's contract (BOOT_ORDER, BOOT_x_LEFT): three attempts for each slot, counted here, set
# back by RAUC when a start was good. The variables lie in uboot.env on the FAT partition; a damaged file counts as
# none, and both slots are tried afresh.
test -n "${devtype}" || setenv devtype mmc
test -n "${devnum}" || setenv devnum 0
# ${bench} is for the bench alone (docs/hardware-checklist.md): typed at U-Boot's prompt, kept nowhere.
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3
setenv slot
for S in ${BOOT_ORDER}; do
  if test "x${slot}" != "x"; then
    echo "KIOSK ${S} stays in reserve"
  elif test "x${S}" = "xA" && test ${BOOT_A_LEFT} -gt 0; then
    setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; setenv slot A; setenv part 2
  elif test "x${S}" = "xB" && test ${BOOT_B_LEFT} -gt 0; then
    setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; setenv slot B; setenv part 3
  fi
done
if test -z "${slot}"; then
  echo "KIOSK no attempts left: both slots are tried afresh"
  setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3; saveenv; reset
fi
saveenv
echo "KIOSK slot ${slot}, attempts left A=${BOOT_A_LEFT} B=${BOOT_B_LEFT}"
# Not U-Boot's own places for them: Debian's kernel, moved to 2 MiB and with its bss, reaches into 0x2700000, where
# the RAM disk would lie.
setenv kernel_addr_r 0x00200000
setenv ramdisk_addr_r 0x05000000
setenv bootargs "@CMDLINE@ root=PARTUUID=4b494f53-0${part} rauc.slot=${slot} ${bench}"
if load ${devtype} ${devnum}:${part} ${kernel_addr_r} /vmlinuz && load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} /initrd.img; then
  booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
fi
echo "KIOSK slot ${slot} cannot be started"
reset
