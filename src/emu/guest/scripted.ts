/** The scripted guest that behaves as a system's row says. */
import {
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from '../virtio/abi.ts';
import type { GuestProfile } from './profiles.ts';
import type { GuestSystem } from './systems.ts';

export function scriptedGuest(system: GuestSystem): GuestProfile {
  const { traits } = system;
  const firmware = system.kind === 'firmware' || system.kind === 'loader';
  return {
    name: system.name,
    systems: system.title,
    evidence: system.evidence,
    transports: traits.transports,
    needsDeviceConfig: firmware,
    transportFeatures: transportFeatures(system, firmware),
    deviceFeatures: firmware ? 'firmware' : 'kernel',
    dma: dmaPolicy(system, firmware),
    byteOrder: traits.bigEndian ? 'big' : 'little',
    completion: firmware ? 'polling' : 'interrupt',
    multiTce: !firmware,
    pageShift: firmware ? 12 : traits.pageShift,
    registersByHypercall: firmware,
    ...secureHabits(traits.secure),
  };
}

const POOLS = { 'pool-raw': 'raw', pool: 'shared', 'rings-only': 'missing' } as const;

function secureHabits(secure: GuestSystem['traits']['secure']): Pick<GuestProfile, 'secure'> {
  return secure === 'never' ? {} : { secure: { pool: POOLS[secure], mmu: 'radix', cpus: 1 } };
}

function transportFeatures({ traits }: GuestSystem, firmware: boolean): readonly number[] {
  const features: number[] = [];
  // 2.6.32 and firmware keep to the plainest rings.
  if (!firmware) features.push(VIRTIO_F_RING_INDIRECT_DESC);
  if (!firmware && !(traits.bigEndian && !traits.transports.includes('modern'))) {
    features.push(VIRTIO_F_RING_EVENT_IDX);
  }
  if (traits.transports.includes('modern')) features.push(VIRTIO_F_VERSION_1);
  if (traits.acksPlatform) features.push(VIRTIO_F_ACCESS_PLATFORM);
  if (traits.acksPacked) features.push(VIRTIO_F_RING_PACKED);
  return features;
}

function dmaPolicy({ traits }: GuestSystem, firmware: boolean): GuestProfile['dma'] {
  if (!traits.acksPlatform) return 'physical';
  if (firmware) return 'firmware';
  if (traits.directWindow === 'none') return 'default-window';
  return traits.directWindow === 'lrdr' ? 'direct-window-lrdr' : 'direct-window';
}
