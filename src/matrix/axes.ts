/** The axes of the matrix: what every cell is a choice of. */
import { GUEST_SYSTEMS, type GuestSystem } from '../emu/guest/systems.ts';
import { DEVICE_MODELS, type DeviceModel } from '../emu/machine/virtio-models.ts';
import {
  platformOf,
  POLICIES,
  VERSIONS,
  type DeviceProperties,
  type DisableLegacy,
  type Policy,
  type SlotKind,
} from '../emu/machine/policies.ts';

export interface Axes {
  readonly policies: readonly Policy[];
  readonly versions: readonly string[];
  readonly devices: readonly DeviceModel[];
  readonly slots: readonly SlotKind[];
  readonly settings: readonly DeviceProperties[];
  readonly guests: readonly GuestSystem[];
  readonly secure: readonly boolean[];
}

const DISABLE_LEGACY: readonly (DisableLegacy | undefined)[] = [undefined, 'auto', 'on', 'off'];
const SWITCH: readonly (boolean | undefined)[] = [undefined, false, true];

/** Every assignment of the four properties, the one that sets nothing first. `undefined` is the default's choice. */
export const SETTINGS: readonly DeviceProperties[] = [false, true].flatMap((packed) =>
  DISABLE_LEGACY.flatMap((disableLegacy) =>
    SWITCH.flatMap((disableModern) =>
      SWITCH.map((iommuPlatform) => settingOf(disableLegacy, disableModern, iommuPlatform, packed)),
    ),
  ),
);

function settingOf(
  disableLegacy: DisableLegacy | undefined,
  disableModern: boolean | undefined,
  iommuPlatform: boolean | undefined,
  packed: boolean,
): DeviceProperties {
  return {
    ...(disableLegacy === undefined ? {} : { disableLegacy }),
    ...(disableModern === undefined ? {} : { disableModern }),
    ...(iommuPlatform === undefined ? {} : { iommuPlatform }),
    ...(packed ? { packed } : {}),
  };
}

export const WHOLE: Axes = {
  policies: POLICIES,
  versions: VERSIONS,
  devices: DEVICE_MODELS,
  slots: ['host-bridge', 'pci-bridge', 'root-port'],
  settings: SETTINGS,
  guests: GUEST_SYSTEMS,
  secure: [false, true],
};

/** Slots that a policy's platform has, of those asked for. */
export function slotsOf(axes: Axes, policy: Policy): readonly SlotKind[] {
  const there = platformOf(policy).slots;
  return axes.slots.filter((slot) => there.includes(slot));
}

/** Off, and on where the policy has a capability to turn on. */
export function capabilitiesOf(policy: Policy): readonly boolean[] {
  return policy.secure.capability === undefined ? [false] : [false, true];
}

/** Properties as QEMU spells them after the device's name: `disable-legacy=on,iommu_platform=on`. */
export function spelled(properties: DeviceProperties): string {
  return pairs(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** The same as `-global` options, each counted as one setting. */
export function asGlobals(properties: DeviceProperties): string {
  return pairs(properties)
    .map(([name, value]) => `-global virtio-pci.${name}=${value}`)
    .join(' ');
}

function pairs({
  disableLegacy,
  disableModern,
  iommuPlatform,
  packed,
}: DeviceProperties): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  if (disableLegacy !== undefined) found.push(['disable-legacy', disableLegacy]);
  if (disableModern !== undefined) found.push(['disable-modern', onOff(disableModern)]);
  if (iommuPlatform !== undefined) found.push(['iommu_platform', onOff(iommuPlatform)]);
  if (packed !== undefined) found.push(['packed', onOff(packed)]);
  return found;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
