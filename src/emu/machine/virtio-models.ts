/**
 * virtio-pci device models as `-device` names them, and what of each decides whether it can be built: measured on
 * QEMU 7.2.22 (virtio-compat.md section 1.1).
 */
export interface DeviceModel {
  readonly name: string;
  /** Device type number (VIRTIO 5). */
  readonly virtioId: number;
  /**
   * `any`: disable-legacy and disable-modern decide. `virtio-1`: a class hook makes it modern whatever they say.
   * `transitional`, `non-transitional`: the type's name decides, and it has neither property.
   */
  readonly form: 'any' | 'virtio-1' | 'transitional' | 'non-transitional';
  /** What realize says before it comes to the interfaces, where an option that is needed was not given. */
  readonly missingOption?: string;
  /** Refused in a slot of any other bus (virtio_iommu_pci_realize). */
  readonly rootBusOnly?: boolean;
  /** The option that names its back end. */
  readonly backend: string;
  /** Whether this emulator has the device, so that a guest can be run on it. */
  readonly emulated: boolean;
}

function family(short: string, virtioId: number, backend: string): DeviceModel[] {
  return [
    { name: `virtio-${short}-pci`, virtioId, form: 'any', backend, emulated: true },
    { name: `virtio-${short}-pci-transitional`, virtioId, form: 'transitional', backend, emulated: true },
    {
      name: `virtio-${short}-pci-non-transitional`,
      virtioId,
      form: 'non-transitional',
      backend,
      emulated: true,
    },
  ];
}

export const DEVICE_MODELS: readonly DeviceModel[] = [
  ...family('blk', 2, 'drive=d0'),
  ...family('net', 1, 'netdev=n0'),
  ...family('rng', 4, 'rng=e0'),
  { name: 'virtio-gpu-pci', virtioId: 16, form: 'virtio-1', backend: '', emulated: false },
  { name: 'virtio-keyboard-pci', virtioId: 18, form: 'virtio-1', backend: '', emulated: false },
  { name: 'virtio-crypto-pci', virtioId: 20, form: 'virtio-1', backend: 'cryptodev=c0', emulated: false },
  {
    name: 'virtio-iommu-pci',
    virtioId: 23,
    form: 'virtio-1',
    rootBusOnly: true,
    backend: '',
    emulated: false,
  },
  {
    name: 'vhost-vsock-pci',
    virtioId: 19,
    form: 'any',
    missingOption: 'guest-cid property must be greater than 2',
    backend: '',
    emulated: false,
  },
  // A type without the property that disables legacy: what made the patches of the thread abort (Kurz 2020-03-10).
  {
    name: 'vhost-user-fs-pci',
    virtioId: 26,
    form: 'non-transitional',
    backend: 'chardev=c0',
    emulated: false,
  },
];

export function deviceModel(name: string): DeviceModel | undefined {
  return DEVICE_MODELS.find((model) => model.name === name);
}

/** Types with a transitional PCI id (VIRTIO 4.1.2.1 and QEMU's virtio_pci_device_plugged). */
const HAS_LEGACY_INTERFACE: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 9, 11, 12];

export function hasLegacyInterface(virtioId: number): boolean {
  return HAS_LEGACY_INTERFACE.includes(virtioId);
}
