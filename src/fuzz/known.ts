import type { Breach } from './judge.ts';
import { bucketOf } from './minimise.ts';

/** A breach that is QEMU 7.2's own behaviour, so that the emulator is right to show it. */
export interface KnownBreach {
  readonly name: string;
  readonly oracle: string;
  readonly reason: RegExp;
  /** What QEMU does, and where it says so. */
  readonly because: string;
}

/**
 * What campaigns find on purpose and do not report as new. `--disallow NAME` takes a row away: then the breach is a
 * finding like any other.
 */
export const KNOWN_BREACHES: readonly KnownBreach[] = [
  {
    name: 'available-index-jump',
    oracle: 'G2',
    reason: /serve more entries than its rings have/,
    because:
      'QEMU 7.2 serves every entry that the available index claims, up to 65,535 of them on a ring of 16: virtqueue_split_pop compares what is in flight, not the index, with the size of the ring (hw/virtio/virtio.c; D06 and D07 of the fault list)',
  },
  {
    name: 'frame-outlives-reset',
    oracle: 'G4',
    reason: /a frame (of .* came back|came back with other bytes)/,
    because:
      'QEMU 7.2 keeps frames that wait for receive buffers over a device reset (hw/net/virtio-net.c: virtio_net_reset purges what the device sends, not what it is sent), so that the next driver receives them first',
  },
  {
    name: 'frame-outlives-recovery',
    oracle: 'integrity',
    reason: /a frame (of .* came back|came back with other bytes)/,
    because:
      'QEMU 7.2 keeps frames that wait for receive buffers over a device reset (hw/net/virtio-net.c: virtio_net_reset purges what the device sends, not what it is sent), so that the next driver receives them first',
  },
  {
    name: 'any-layout-off',
    oracle: 'LRSVD-DEV-003',
    reason: /does not offer ANY_LAYOUT/,
    because:
      'machine types up to 2.3 turn any_layout off for most devices (hw/core/machine.c, HW_COMPAT_2_3): that is how the machine is configured, whatever its devices promise',
  },
];

/** The row that explains a breach; undefined for one that is new, or whose row `disallowed` takes away. */
export function knownBreach(breach: Breach, disallowed: readonly string[] = []): KnownBreach | undefined {
  return KNOWN_BREACHES.find(
    (row) =>
      row.oracle === breach.oracle && row.reason.test(bucketOf(breach)) && !disallowed.includes(row.name),
  );
}

/** Throws one sentence for a name that is no row. */
export function checkDisallowed(names: readonly string[]): void {
  const stranger = names.find((name) => !KNOWN_BREACHES.some((row) => row.name === name));
  if (stranger !== undefined) {
    throw new Error(
      `no known finding is called '${stranger}': choose from ${KNOWN_BREACHES.map((row) => row.name).join(', ')}`,
    );
  }
}
