import { readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { listKernelFolder, readKernelText } from "./kernel-files.ts";

export interface Gpu {
  /** Address on the PCI bus, such as `0000:01:00.0`. */
  slot: string;
  /** PCI vendor number, such as `0x10de`. */
  vendor: string;
  /** PCI device number, such as `0x1eb8`. */
  device: string;
  /** Kernel module that drives the device; "" if none does. */
  driver: string;
}

/** Lists the display controllers on the PCI bus: the devices whose class begins with 0x03. */
export async function readGpus(bus = "/sys/bus/pci/devices"): Promise<Gpu[]> {
  const gpus: Gpu[] = [];
  for (const slot of await listKernelFolder(bus)) {
    const folder = join(bus, slot);
    if (!(await readKernelText(join(folder, "class"))).startsWith("0x03")) continue;
    const driver = await readlink(join(folder, "driver")).catch(() => "");
    const [vendor, device] = await Promise.all([
      readKernelText(join(folder, "vendor")),
      readKernelText(join(folder, "device")),
    ]);
    gpus.push({ slot, vendor, device, driver: basename(driver) });
  }
  return gpus;
}
