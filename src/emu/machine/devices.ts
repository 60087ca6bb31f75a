import type { BlkOptions } from '../devices/blk.ts';
import { BalloonDevice } from '../devices/balloon.ts';
import { BlkDevice } from '../devices/blk.ts';
import { CryptoDevice } from '../devices/crypto.ts';
import { GpuDevice } from '../devices/gpu.ts';
import { InputDevice, type InputKind } from '../devices/input.ts';
import { IommuDevice } from '../devices/iommu.ts';
import * as net from '../devices/net-abi.ts';
import { NetDevice } from '../devices/net.ts';
import { Plan9Device } from '../devices/plan9.ts';
import { RngDevice } from '../devices/rng.ts';
import { ScsiDevice } from '../devices/scsi.ts';
import { SerialDevice } from '../devices/serial.ts';
import type { CharEnd } from '../devices/backends/char-end.ts';
import type { Disk } from '../devices/backends/disk.ts';
import type { EntropySource } from '../devices/backends/entropy.ts';
import type { NetPeer } from '../devices/backends/net-end.ts';
import type { CoreParts, VirtioCore } from '../virtio/core.ts';
import {
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_ORDER_PLATFORM,
  VIRTIO_F_VERSION_1,
} from '../virtio/abi.ts';
import { featureBit, featureSet, hasFeature } from '../virtio/features.ts';
import { EPOCH_SECONDS } from './platform-options.ts';
import type { PropertyValues } from './properties.ts';
import type { RealizedDevice } from './realize.ts';
import { attachment } from './scsi-disks.ts';

/** Hands over what a device's backend properties name; realize has checked that it is there. */
export interface DeviceBackends {
  disk(id: string): Disk;
  /** `id` is '' where no netdev was given: QEMU warns, and the device talks to nobody. */
  peer(id: string): NetPeer;
  /** `id` is '' where no rng was given: QEMU makes a built-in one. */
  entropy(id: string): EntropySource;
  /** `mac=` was not given: QEMU counts up from 52:54:00:12:34:56. */
  nextMac(): Uint8Array;
  char(id: string): CharEnd | undefined;
  /** What the host hears of a device: QMP events. */
  report(event: string, data: Readonly<Record<string, unknown>>): void;
  readonly ramBytes: number;
  /** Page size of the host's memory behind RAM. */
  readonly hostPageBytes: number;
}

type Make = (
  values: PropertyValues,
  parts: CoreParts,
  backends: DeviceBackends,
  realized: RealizedDevice,
) => VirtioCore;

/** How each family's device is made from its properties. */
const MAKERS: ReadonlyMap<string, Make> = new Map<string, Make>([
  [
    'virtio-rng-pci',
    (values, parts, backends) =>
      new RngDevice(parts, backends.entropy(values.text('rng')), {
        maxBytes: BigInt(values.get('max-bytes') ?? 0),
        periodMs: values.number('period'),
      }),
  ],
  [
    'virtio-blk-pci',
    (values, parts, backends) =>
      new BlkDevice(parts, backends.disk(values.text('drive')), blkOptions(values)),
  ],
  ['virtio-net-pci', makeNet],
  [
    'virtio-scsi-pci',
    (values, parts, backends, { scsiBus }) =>
      new ScsiDevice(
        parts,
        {
          numQueues: values.number('num_queues'),
          queueSize: values.number('virtqueue_size'),
          segMaxAdjust: values.flag('seg_max_adjust'),
          maxSectors: values.number('max_sectors'),
          cmdPerLun: values.number('cmd_per_lun'),
          hotplug: values.flag('hotplug'),
          paramChange: values.flag('param_change'),
        },
        scsiBus?.disks.map((disk) => attachment(disk, (id) => backends.disk(id))),
      ),
  ],
  [
    'virtio-serial-pci',
    (values, parts, backends, { serialBus }) =>
      new SerialDevice(
        parts,
        {
          maxPorts: values.number('max_ports'),
          emergencyWrite: values.flag('emergency-write'),
          busName: serialBus?.name ?? '',
          ports: serialBus?.ports ?? [],
        },
        {
          char: (id) => backends.char(id),
          reportOpen: (id, open) => backends.report('VSERPORT_CHANGE', { id, open }),
        },
      ),
  ],
  [
    'virtio-balloon-pci',
    (values, parts, backends) =>
      new BalloonDevice(parts, {
        deflateOnOom: values.flag('deflate-on-oom'),
        freePageHint: values.flag('free-page-hint'),
        pagePoison: values.flag('page-poison'),
        freePageReporting: values.flag('free-page-reporting'),
        wholeConfig: values.flag('qemu-4-0-config-size'),
        pollingSeconds: values.number('guest-stats-polling-interval'),
        ramBytes: backends.ramBytes,
        hostPageBytes: backends.hostPageBytes,
        epochSeconds: EPOCH_SECONDS,
        changed: (actual) => backends.report('BALLOON_CHANGE', { actual }),
      }),
  ],
  ['virtio-9p-pci', (values, parts) => new Plan9Device(parts, values.text('mount_tag'))],
  ['virtio-crypto-pci', (_values, parts) => new CryptoDevice(parts)],
  [
    'virtio-gpu-pci',
    (values, parts) =>
      new GpuDevice(parts, { maxOutputs: values.number('max_outputs'), edid: values.flag('edid') }),
  ],
  ['virtio-iommu-pci', (values, parts) => new IommuDevice(parts, values.flag('boot-bypass'))],
  ['virtio-keyboard-pci', makeInput('keyboard')],
  ['virtio-mouse-pci', makeInput('mouse')],
  ['virtio-tablet-pci', makeInput('tablet')],
]);

/** Makes the device behind a realized function. Its features are offered already: the transport's and its own. */
export function makeDevice(realized: RealizedDevice, parts: CoreParts, backends: DeviceBackends): VirtioCore {
  const make = MAKERS.get(realized.family.name);
  if (make === undefined) throw new Error(`no device of type ${realized.family.name} can be made`);
  const device = make(realized.values, parts, backends, realized);
  device.hostFeatures = device.offer(realized.transportFeatures | ringFeatures(realized, device));
  return device;
}

/** What the specification has of features of rings, and QEMU 7.2 has not. */
function ringFeatures({ transportFeatures }: RealizedDevice, { behaviour }: VirtioCore): bigint {
  if (behaviour.offersFewRingFeatures || !hasFeature(transportFeatures, VIRTIO_F_VERSION_1)) return 0n;
  return featureSet(VIRTIO_F_IN_ORDER, VIRTIO_F_ORDER_PLATFORM, VIRTIO_F_NOTIFICATION_DATA);
}

function makeInput(kind: InputKind): Make {
  return (values, parts) =>
    new InputDevice(parts, {
      kind,
      wheelAxis: values.flag('wheel-axis'),
      serial: values.get('serial') === undefined ? undefined : values.text('serial'),
    });
}

function blkOptions(values: PropertyValues): BlkOptions {
  const granularity = values.number('discard_granularity');
  return {
    numQueues: values.number('num-queues'),
    queueSize: values.number('queue-size'),
    segMaxAdjust: values.flag('seg-max-adjust'),
    configWce: values.flag('config-wce'),
    scsi: values.flag('scsi'),
    discard: values.flag('discard'),
    writeZeroes: values.flag('write-zeroes'),
    reportDiscardGranularity: values.flag('report-discard-granularity'),
    requestMerging: values.flag('request-merging'),
    enableWceIfConfigWce: values.flag('x-enable-wce-if-config-wce'),
    maxDiscardSectors: values.number('max-discard-sectors'),
    maxWriteZeroesSectors: values.number('max-write-zeroes-sectors'),
    logicalBlockSize: values.number('logical_block_size'),
    physicalBlockSize: values.number('physical_block_size'),
    minIoSize: values.number('min_io_size'),
    optIoSize: values.number('opt_io_size'),
    discardGranularity: granularity === 0xffffffff ? undefined : granularity,
    writeCache: values.get('write-cache') !== 'off',
    serial: values.text('serial'),
    geometry:
      values.number('cyls') === 0
        ? undefined
        : {
            cylinders: values.number('cyls'),
            heads: values.number('heads'),
            sectors: values.number('secs'),
          },
  };
}

/** Each feature property of virtio-net with its bit. */
const NET_FEATURES: readonly (readonly [name: string, feature: number])[] = [
  ['csum', net.VIRTIO_NET_F_CSUM],
  ['guest_csum', net.VIRTIO_NET_F_GUEST_CSUM],
  ['gso', net.VIRTIO_NET_F_GSO],
  ['guest_tso4', net.VIRTIO_NET_F_GUEST_TSO4],
  ['guest_tso6', net.VIRTIO_NET_F_GUEST_TSO6],
  ['guest_ecn', net.VIRTIO_NET_F_GUEST_ECN],
  ['guest_ufo', net.VIRTIO_NET_F_GUEST_UFO],
  ['guest_announce', net.VIRTIO_NET_F_GUEST_ANNOUNCE],
  ['host_tso4', net.VIRTIO_NET_F_HOST_TSO4],
  ['host_tso6', net.VIRTIO_NET_F_HOST_TSO6],
  ['host_ecn', net.VIRTIO_NET_F_HOST_ECN],
  ['host_ufo', net.VIRTIO_NET_F_HOST_UFO],
  ['mrg_rxbuf', net.VIRTIO_NET_F_MRG_RXBUF],
  ['status', net.VIRTIO_NET_F_STATUS],
  ['ctrl_vq', net.VIRTIO_NET_F_CTRL_VQ],
  ['ctrl_rx', net.VIRTIO_NET_F_CTRL_RX],
  ['ctrl_vlan', net.VIRTIO_NET_F_CTRL_VLAN],
  ['ctrl_rx_extra', net.VIRTIO_NET_F_CTRL_RX_EXTRA],
  ['ctrl_mac_addr', net.VIRTIO_NET_F_CTRL_MAC_ADDR],
  ['ctrl_guest_offloads', net.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS],
  ['mq', net.VIRTIO_NET_F_MQ],
  ['rss', net.VIRTIO_NET_F_RSS],
  ['hash', net.VIRTIO_NET_F_HASH_REPORT],
  ['guest_rsc_ext', net.VIRTIO_NET_F_RSC_EXT],
];

function makeNet(
  values: PropertyValues,
  parts: CoreParts,
  backends: DeviceBackends,
  { id }: RealizedDevice,
): NetDevice {
  let features = 0n;
  for (const [name, feature] of NET_FEATURES) if (values.flag(name)) features |= featureBit(feature);
  const duplex = values.text('duplex');
  const mac = values.text('mac');
  return new NetDevice(parts, backends.peer(values.text('netdev')), {
    mac: mac === '' ? backends.nextMac() : parseMac(mac),
    rxQueueSize: values.number('rx_queue_size'),
    txQueueSize: values.number('tx_queue_size'),
    txBurst: values.number('x-txburst'),
    txTimer: values.text('tx') === 'timer' ? values.number('x-txtimer') : undefined,
    coalesceInterval: values.number('rsc_interval'),
    standby: values.flag('failover') ? (id ?? '(null)') : undefined,
    features,
    mtu: values.number('host_mtu'),
    speed: values.number('speed'),
    duplex: duplex === 'half' || duplex === 'full' ? duplex : undefined,
  });
}

function parseMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
}
