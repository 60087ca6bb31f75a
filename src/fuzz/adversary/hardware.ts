import { readHardware } from '../../emu/guest/hardware.ts';

/** What a driver needs of the device tree: read once a machine, as a kernel reads it once a boot. */
export interface Hardware {
  readonly buidHigh: number;
  readonly buidLow: number;
  readonly liobn: number;
  /** CPU addresses of the host bridge's windows, and the bus address that each begins with. */
  readonly ioBase: number;
  readonly mem32Base: number;
  readonly mem32Bus: number;
  /** 0 where the bridge has no 64-bit window. */
  readonly mem64Base: number;
  readonly mem64Bus: number;
  readonly tokens: ReadonlyMap<string, number>;
  /** RTAS tokens of the calls for dynamic windows; 0 where the bridge has none. */
  readonly createWindow: number;
  readonly removeWindow: number;
  readonly resetWindow: number;
  /** Where functions may stand, as slot << 3 | function. */
  readonly devfns: readonly number[];
}

const SLOTS = 32;

export function hardwareOf(deviceTree: Uint8Array): Hardware {
  const hardware = readHardware(deviceTree);
  const bridge = hardware.bridges[0];
  if (bridge === undefined) throw new Error('the device tree has no host bridge');
  return {
    buidHigh: bridge.buidHigh,
    buidLow: bridge.buidLow,
    liobn: bridge.liobn,
    ioBase: (bridge.io?.cpu ?? 0) - (bridge.io?.bus ?? 0),
    mem32Base: bridge.mem32?.cpu ?? 0,
    mem32Bus: bridge.mem32?.bus ?? 0,
    mem64Base: bridge.mem64?.cpu ?? 0,
    mem64Bus: bridge.mem64?.bus ?? 0,
    tokens: hardware.tokens,
    createWindow: bridge.ddw?.create ?? 0,
    removeWindow: bridge.ddw?.remove ?? 0,
    resetWindow: bridge.ddw?.reset ?? 0,
    devfns: bridge.enumerated
      ? bridge.functions.map((found) => found.devfn)
      : Array.from({ length: SLOTS }, (_, slot) => slot << 3),
  };
}
