/** Construction as the emulator decides it: realize itself runs, on a machine type with a policy's defaults added. */
import { defaultsOf, type DeviceProperties, type SlotKind } from '../emu/machine/policies.ts';
import type { Construction, DeviceMode, Request } from '../emu/machine/prediction.ts';
import type { GlobalOption } from '../emu/machine/options.ts';
import { realizeDevice, type RealizedDevice, type RealizeRequest } from '../emu/machine/realize.ts';
import { machineType, type MachineType } from '../emu/machine/types.ts';
import { VIRTIO_F_ACCESS_PLATFORM, VIRTIO_F_RING_PACKED } from '../emu/virtio/abi.ts';

/** A conventional bridge is to a function what the host bridge's bus is (measured: identical behind pci-bridge). */
const BUS_KIND: Readonly<Record<SlotKind, RealizeRequest['slot']>> = {
  'host-bridge': 'conventional',
  'pci-bridge': 'conventional',
  'root-port': 'express-port',
};

export interface Decided {
  readonly construction: Construction;
  /** `realize`: the emulator's own realize answered. `rule`: it has no such device, so the prediction stands. */
  readonly by: 'realize' | 'rule';
  /** Equal for devices that no guest can tell apart: all that it can read of the function and of its host bridge. */
  readonly key: string;
  readonly realized?: RealizedDevice;
}

/** Runs realize for requests, and keeps what it computed of a machine version under a policy. */
export class ConstructionDecider {
  readonly #types: Map<string, MachineType> = new Map();

  /** Undefined where this emulator has no such device type: then only the rules can say. */
  decide(request: Request): Omit<Decided, 'by'> | undefined {
    const machine = this.#machine(request);
    if (machine === undefined) return undefined;
    const { device, properties, globals, slot } = request;
    // Realize knows conventional buses as root buses only.
    if (device.rootBusOnly === true && slot === 'pci-bridge') return undefined;
    const backend = device.backend === '' ? '' : `,${device.backend}`;
    const verdict = realizeDevice(`${device.name}${backend}${argumentOf(properties)}`, {
      machine,
      cpus: 1,
      globals: globalsOf(globals),
      backends: () => true,
      slot: BUS_KIND[slot],
      taken: new Map(),
    });
    if (!verdict.accepted && verdict.reason.endsWith('is not a valid device model name')) return undefined;
    if (!verdict.accepted) return refusedBy(request, verdict.reason, verdict.hint);
    const realized = verdict.value;
    const { legacy, modern } = realized.settings;
    const mode: DeviceMode = legacy ? (modern ? 'transitional' : 'legacy') : 'modern';
    const construction: Construction = {
      built: true,
      mode,
      iommuPlatform: hasFeature(realized, VIRTIO_F_ACCESS_PLATFORM),
      packed: hasFeature(realized, VIRTIO_F_RING_PACKED),
      warned: verdict.warnings.some((text) => text.includes('modern-only')),
    };
    return { construction, key: visibleKey(machine, realized), realized };
  }

  #machine({ policy, version, capability }: Request): MachineType | undefined {
    const rows = defaultsOf(policy, version, capability);
    const name = `${version} ${JSON.stringify(rows)}`;
    const known = this.#types.get(name);
    if (known !== undefined) return known;
    // The devices of x86 machines follow the same compat rows by version (hw/core/machine.c).
    const plain = machineType(`pseries-${version}`);
    if (plain === undefined) return undefined;
    const added = rows.flatMap(({ set, optional }) => compatOf(set, optional));
    // Its own rows stand in the table already; said twice they mean the same.
    const type = { ...plain, compat: [...plain.compat, ...added] };
    this.#types.set(name, type);
    return type;
  }
}

function hasFeature(realized: RealizedDevice, bit: number): boolean {
  return ((realized.transportFeatures >> BigInt(bit)) & 1n) === 1n;
}

function named({
  disableLegacy,
  disableModern,
  iommuPlatform,
  packed,
}: DeviceProperties): [string, string, string][] {
  const onOff = (value: boolean): string => (value ? 'on' : 'off');
  const rows: [string, string, string][] = [];
  if (disableLegacy !== undefined) rows.push(['virtio-pci', 'disable-legacy', disableLegacy]);
  if (disableModern !== undefined) rows.push(['virtio-pci', 'disable-modern', onOff(disableModern)]);
  if (iommuPlatform !== undefined) rows.push(['virtio-device', 'iommu_platform', onOff(iommuPlatform)]);
  if (packed !== undefined) rows.push(['virtio-device', 'packed', onOff(packed)]);
  return rows;
}

function compatOf(set: DeviceProperties, optional: boolean): MachineType['compat'][number][] {
  return named(set).map(([type, property, value]) => ({ type, property, value, optional }));
}

function globalsOf(set: DeviceProperties): GlobalOption[] {
  return named(set).map(([type, property, value]) => ({ type, property, value }));
}

function argumentOf(properties: DeviceProperties): string {
  return named(properties)
    .map(([, name, value]) => `,${name}=${value}`)
    .join('');
}

function refusedBy(request: Request, reason: string, hint: string | undefined): Omit<Decided, 'by'> {
  // A machine's default that does not fit its type ends QEMU itself (error_abort): R8.
  const aborts = isDefaultThatDoesNotFit(request, reason);
  const construction: Construction = {
    built: false,
    by: aborts ? 'abort' : 'realize',
    rule: aborts ? 'R8' : ruleOf(reason),
    reason,
    ...(hint === undefined ? {} : { hint }),
  };
  return { construction, key: `${construction.by}: ${reason}` };
}

function isDefaultThatDoesNotFit({ policy, version, capability }: Request, reason: string): boolean {
  if (!/^Property '.*' not found$/.test(reason)) return false;
  return defaultsOf(policy, version, capability).some(
    ({ optional, set }) => !optional && named(set).some(([, property]) => reason.includes(`.${property}'`)),
  );
}

/** Which rule a text of QEMU's belongs to. */
function ruleOf(reason: string): string {
  if (reason.includes('neither modern nor legacy')) return 'R1';
  if (reason.includes('VIRTIO_F_IOMMU_PLATFORM')) return 'R4';
  return /not found$|modern-only/.test(reason) ? 'R6' : 'option';
}

/**
 * Everything that a guest can read of the function: what realize settled, what it offers, and the windows of the host
 * bridge that it sits on. The type's name is not among it; a property that only QEMU reads is, which costs a run and
 * never merges two that differ.
 */
function visibleKey(machine: MachineType, realized: RealizedDevice): string {
  const { typeName: _name, express: _express, ...settings } = realized.settings;
  const { interrupts, legacyInterruptNumbers, placement } = machine.options;
  const values = realized.family.deviceProperties.map(({ name }) => [name, realized.values.get(name)]);
  return JSON.stringify(
    [
      realized.family.name,
      settings,
      realized.transportFeatures,
      values,
      machine.hostBridge,
      [interrupts, legacyInterruptNumbers, placement],
    ],
    (_key, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value),
  );
}
