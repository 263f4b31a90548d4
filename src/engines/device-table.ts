/**
 * Majors of the kernel (Documentation/admin-guide/devices.txt) that make sense in a container. Left out is what opens
 * the host itself: memory (1), disks, loop devices, SCSI generic (21), MSR (202).
 */

/** All devices of the kernel with one major number. */
export interface DeviceMajor {
  /** A character device or a block device. */
  readonly kind: "c" | "b";
  /** The kernel's major number. */
  readonly major: number;
}

const chars = (...majors: number[]): DeviceMajor[] => majors.map((major) => ({ kind: "c", major }));
const blocks = (...majors: number[]): DeviceMajor[] => majors.map((major) => ({ kind: "b", major }));

/** The original station's names: spaces as underscores, majors in brackets. */
const table: Readonly<Record<string, readonly DeviceMajor[]>> = {
  "TTY_(4)": chars(4),
  "Parallel_printers_(6)": chars(6),
  "SCSI_tapes_(9)": chars(9),
  "Misc_(10)": chars(10),
  "CD-ROM_(11)": blocks(11),
  "Input_(13)": chars(13),
  "Sound_and_ALSA_(14,_116)": chars(14, 116),
  "Joystick_(15)": chars(15),
  "Framebuffer_(29)": chars(29),
  "ISDN_(45)": chars(45),
  "CAPI_(68,_191)": chars(68, 191),
  "video4linux_(81)": chars(81),
  "I2C_(89)": chars(89),
  "Comedi_(98)": chars(98),
  "Raw_parallel_ports_(99)": chars(99),
  "PPP_(108)": chars(108),
  "SPI_(153)": chars(153),
  "IrDA_(161)": chars(161),
  "ACM_USB_modems_(166)": chars(166),
  "FireWire_(171)": chars(171),
  "USB_character_devices_(180)": chars(180),
  "USB_serial_converters_(188)": chars(188),
  "USB_devices_(189)": chars(189),
  "NVIDIA_(195)": chars(195),
  "CPUID_(203)": chars(203),
  "Serial_ports_(204)": chars(204),
  "DVB_(212)": chars(212),
  "Bluetooth_RFCOMM_(216)": chars(216),
  "DRI_(226)": chars(226),
  "InfiniBand_(231)": chars(231),
  "Accelerators_(261)": chars(261),
};

/** All device names, in the order of the table. */
export const deviceNames: readonly string[] = Object.keys(table);

/** Returns the majors of a device name; undefined when there is no such name. */
export function findDevice(name: string): readonly DeviceMajor[] | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
