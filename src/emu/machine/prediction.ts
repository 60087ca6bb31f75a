/**
 * What the rules say a QEMU makes of a virtio-pci device, without building one: the emulator decides, this predicts,
 * and the property tests of rules.ts hold the one against the other. It therefore shares no code with realize.
 */
import { hasLegacyInterface, type DeviceModel } from './virtio-models.ts';
import { VIRTIO_ID_BLOCK } from '../virtio/abi.ts';
import {
  defaultsOf,
  platformOf,
  versionIndex,
  type DeviceProperties,
  type DisableLegacy,
  type Policy,
  type SlotKind,
} from './policies.ts';

export type DeviceMode = 'legacy' | 'transitional' | 'modern';

/** A device as its operator asks for it, on a machine version, under a policy. */
export interface Request {
  readonly policy: Policy;
  readonly version: string;
  readonly device: DeviceModel;
  readonly slot: SlotKind;
  /** Explicit `-device` properties. */
  readonly properties: DeviceProperties;
  /** `-global virtio-pci.…`; they rank below explicit properties and above every default. */
  readonly globals: DeviceProperties;
  /** Whether the operator turned the policy's secure-guest capability on. */
  readonly capability: boolean;
}

export type Construction =
  | {
      readonly built: true;
      readonly mode: DeviceMode;
      readonly iommuPlatform: boolean;
      readonly packed: boolean;
      /** Whether QEMU warns that a modern-only device got a legacy interface for old times' sake. */
      readonly warned: boolean;
    }
  | {
      readonly built: false;
      /** `offer`: the policy does not offer it. `realize`: QEMU refuses the device. `abort`: QEMU itself dies. */
      readonly by: 'offer' | 'realize' | 'abort';
      /** The rule that says so. */
      readonly rule: string;
      readonly reason: string;
      readonly hint?: string;
    };

/** Every property settled: R7's order, from the top: -device, -global, capability, machine version, class default. */
export interface Settled {
  readonly disableLegacy: DisableLegacy;
  readonly disableModern: boolean;
  readonly iommuPlatform: boolean;
  readonly packed: boolean;
}

export const NEITHER = 'device cannot work as neither modern nor legacy mode is enabled';
const NEITHER_HINT = 'Set either disable-modern or disable-legacy to off';
export const PLATFORM_NEEDS_MODERN =
  'VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device';
const MODERN_ONLY = 'device is modern-only, use disable-legacy=on';

/** Up to here virtio-blk passes SCSI commands through by default, which VIRTIO 1.0 does not know. */
const SCSI_UNTIL = '2.4';
const SCSI_PASSTHROUGH = 'Please set scsi=off for virtio-blk devices in order to use virtio 1.0';

/** Last version whose modern-only types still get a legacy interface, with a warning (x-disable-legacy-check). */
const LEGACY_CHECK_OFF_UNTIL = '5.0';

export function construct(request: Request): Construction {
  return (
    notOffered(request) ?? defaultThatDoesNotFit(request) ?? missingProperty(request) ?? realize(request)
  );
}

/** What the policy itself leaves out, before any QEMU is asked. */
export function notOffered({ policy, version, device, slot }: Request): Construction | undefined {
  const refuse = (reason: string): Construction => ({ built: false, by: 'offer', rule: 'policy', reason });
  if (versionIndex(version) < 0 || policy.machines?.includes(version) === false) {
    return refuse(`the policy ${policy.name} offers no machine ${version}`);
  }
  if (policy.devices?.includes(device.name) === false) {
    return refuse(`the policy ${policy.name} offers no ${device.name}`);
  }
  if (!platformOf(policy).slots.includes(slot)) return refuse(`${policy.platform} has no ${slot} slot`);
  return undefined;
}

/** R6: the type's name decides, so there is nothing to set. QEMU complains of the first property that it meets. */
function missingProperty({ device, properties, globals }: Request): Construction | undefined {
  if (device.form !== 'transitional' && device.form !== 'non-transitional') return undefined;
  // Globals are applied before the device's own properties.
  for (const [layer, before] of [
    [globals, (name: string, value: string) => `can't apply global virtio-pci.${name}=${value}: `],
    [properties, () => ''],
  ] as const) {
    const asked = modeProperty(layer);
    if (asked === undefined) continue;
    const [name, value] = asked;
    const reason = `${before(name, value)}Property '${device.name}.${name}' not found`;
    return { built: false, by: 'realize', rule: 'R6', reason };
  }
  return undefined;
}

/** The first property about interfaces that a layer sets, as QEMU spells it and its value. */
function modeProperty({
  disableLegacy,
  disableModern,
}: DeviceProperties): readonly [name: string, value: string] | undefined {
  if (disableLegacy !== undefined) return ['disable-legacy', disableLegacy];
  return disableModern === undefined ? undefined : ['disable-modern', disableModern ? 'on' : 'off'];
}

/** R8: a default for a property that the type lacks kills the host, unless its row is optional. */
function defaultThatDoesNotFit({ policy, version, device, capability }: Request): Construction | undefined {
  if (device.form !== 'transitional' && device.form !== 'non-transitional') return undefined;
  for (const { set, optional } of defaultsOf(policy, version, capability)) {
    if (optional) continue;
    const asked = modeProperty(set);
    if (asked === undefined) continue;
    const [name, value] = asked;
    const reason = `can't apply global virtio-pci.${name}=${value}: Property '.${name}' not found`;
    return { built: false, by: 'abort', rule: 'R8', reason };
  }
  return undefined;
}

export function settle({ policy, version, properties, globals, capability }: Request): Settled {
  const layers: DeviceProperties[] = [
    { disableLegacy: 'auto', disableModern: false, iommuPlatform: false, packed: false },
    ...defaultsOf(policy, version, capability).map((row) => row.set),
    globals,
    properties,
  ];
  let settled: DeviceProperties = {};
  for (const layer of layers) settled = { ...settled, ...layer };
  return settled as Settled;
}

/** The order of checks is QEMU's (virtio-compat.md section 1.1): which text comes first is part of the contract. */
function realize(request: Request): Construction {
  const { version, device, slot } = request;
  const settled = settle(request);
  const named = device.form === 'transitional' || device.form === 'non-transitional';
  // R2: only an express bus that is not a root bus turns auto into on.
  const legacyOff =
    settled.disableLegacy === 'on' || (settled.disableLegacy === 'auto' && slot === 'root-port');
  if (!named && legacyOff && settled.disableModern) {
    return { built: false, by: 'realize', rule: 'R1', reason: NEITHER, hint: NEITHER_HINT };
  }
  if (device.missingOption !== undefined) {
    return { built: false, by: 'realize', rule: 'option', reason: device.missingOption };
  }
  if (device.rootBusOnly === true && slot !== 'host-bridge') {
    const reason = `${device.name} must be plugged on the root bus`;
    return { built: false, by: 'realize', rule: 'option', reason };
  }
  const modernOnly = device.form === 'virtio-1' || device.form === 'non-transitional';
  const legacy = !modernOnly && (device.form === 'transitional' || !legacyOff);
  const modern = modernOnly || device.form === 'transitional' || !settled.disableModern;
  if (modern && device.virtioId === VIRTIO_ID_BLOCK && versionIndex(version) <= versionIndex(SCSI_UNTIL)) {
    return { built: false, by: 'realize', rule: 'option', reason: SCSI_PASSTHROUGH };
  }
  const checked = versionIndex(version) > versionIndex(LEGACY_CHECK_OFF_UNTIL);
  const odd = legacy && !hasLegacyInterface(device.virtioId);
  if (odd && checked) return { built: false, by: 'realize', rule: 'R6', reason: MODERN_ONLY };
  if (legacy && settled.iommuPlatform) {
    return { built: false, by: 'realize', rule: 'R4', reason: PLATFORM_NEEDS_MODERN };
  }
  return {
    built: true,
    mode: legacy ? (modern ? 'transitional' : 'legacy') : 'modern',
    iommuPlatform: settled.iommuPlatform,
    packed: settled.packed,
    warned: odd,
  };
}
