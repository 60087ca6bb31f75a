import { readFlattenedTree, type TreeNode } from '../../emu/core/flattened-tree.ts';
import { UsageError } from '../options.ts';
import type { Lines, Tally } from './log.ts';
import { capabilitiesOf, makeProbe, type CapabilityView, type Probe } from './probe.ts';

const CAP_VENDOR = 9;
const CAP_MSIX = 17;
/** Capabilities of at least so many bytes carry a word more: multiplier, or data window. */
const EXTRA_BYTES = 20;
const BARS = 6;
const CONFIG_BYTES = 256;
const SAMPLE_BYTES = 64;
/** Notification offsets that the log lists at most. */
const OFFSETS_SHOWN = 3;
const ONES = 0xffffffff;

const LEGACY = { features: 0, size: 12, select: 14, status: 18, config: 20 } as const;
const COMMON = {
  featureSelect: 0,
  feature: 4,
  msix: 0x10,
  queues: 0x12,
  status: 0x14,
  generation: 0x15,
  select: 0x16,
  size: 0x18,
  notifyOffset: 0x1e,
} as const;
const DEVICE_CONFIG = 0x2000;

/** One line of the log: a device as a mode and machine make it. */
interface PciLine {
  readonly device: string;
  readonly mode: string;
  readonly machine: string;
  readonly arg: string;
  readonly error?: readonly string[];
  readonly start?: readonly (readonly [string, number])[];
  readonly [observable: string]: unknown;
}

/** QEMU's own words about the log's network, not about the device. */
const NOT_OF_THE_DEVICE = /hub \d+ is not connected to host network$/;

/** Holds a log of PCI functions against the emulator: what a driver sees of each before it does anything. */
export async function conformPci(lines: Lines, tally: Tally): Promise<void> {
  let number = 0;
  let header: { readonly ram: number } | undefined;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    if (header === undefined) header = JSON.parse(line) as { ram: number };
    else {
      tally.judged();
      judge(number, JSON.parse(line) as PciLine, header.ram, tally);
    }
  }
  if (header === undefined) throw new UsageError('a log of PCI functions begins with its configuration');
}

function judge(line: number, expected: PciLine, ramBytes: number, tally: Tally): void {
  const subject = `${expected.machine} ${expected.arg}`;
  const options = { machine: expected.machine, device: expected.arg, ramBytes };
  const made = makeProbe(options);
  const differs = (what: string, wanted: unknown, got: unknown): void => {
    const [a, b] = [JSON.stringify(wanted), JSON.stringify(got)];
    if (a !== b) tally.mismatch(line, `${subject}: ${what}`, a ?? 'nothing', b ?? 'nothing');
  };
  if (!made.accepted) {
    const said = [`qemu-system-ppc64: ${made.reason}`];
    if (made.hint !== undefined) said.push(made.hint);
    differs('error', expected.error, said);
    return;
  }
  if (expected.error !== undefined) {
    differs('error', expected.error, undefined);
    return;
  }
  const complaints = (expected.start ?? []).filter(([text]) => !NOT_OF_THE_DEVICE.test(text));
  const said = made.warnings.filter((text) => text.startsWith('-device '));
  differs(
    'start',
    complaints.map(([text]) => text),
    said.map((text) => `qemu-system-ppc64: ${text.replace(/: (?=[^:]*$)/, ': warning: ')}`),
  );
  const probe = made.value;
  const fresh = probe.machine.snapshot();
  const views = lookAt(probe);
  Object.assign(views, writeOnes(probe));
  probe.machine.restore(fresh);
  Object.assign(views, drive(probe));
  for (const [what, got] of Object.entries(views)) differs(what, expected[what], got);
}

function lookAt(probe: Probe): Record<string, unknown> {
  return {
    config_space: Buffer.from(probe.function.configSpace.subarray(0, CONFIG_BYTES)).toString('hex'),
    caps: capabilitiesOf(probe).map(describeCapability),
    fdt: treeNodes(probe),
  };
}

function describeCapability(cap: CapabilityView): Record<string, number> {
  if (cap.id === CAP_MSIX) {
    return { id: cap.id, at: cap.at, control: cap.control, table: words(cap)[0], pba: words(cap)[1] };
  }
  const fields: Record<string, number> = { id: cap.id, at: cap.at };
  if (cap.id !== CAP_VENDOR) return fields;
  fields['len'] = cap.length;
  fields['type'] = cap.type;
  fields['bar'] = cap.bar;
  fields['vid'] = cap.identity;
  fields['offset'] = cap.offset;
  fields['length'] = cap.bytes;
  if (cap.length >= EXTRA_BYTES) fields['extra'] = cap.extra;
  return fields;
}

/** Table and pending bits of an MSI-X capability: the words at 4 and 8. */
function words(cap: CapabilityView): [number, number] {
  return [cap.table, cap.offset];
}

/** Every dword written with ones: what sticks. */
function writeOnes(probe: Probe): Record<string, unknown> {
  const bars: string[] = [];
  for (let bar = 0; bar < BARS; bar++) {
    probe.setConfig(0x10 + 4 * bar, 4, ONES);
    bars.push(`0x${probe.config(0x10 + 4 * bar, 4).toString(16)}`);
  }
  for (let at = 0; at < CONFIG_BYTES; at += 4) probe.setConfig(at, 4, ONES);
  const after: string[] = [];
  for (let at = 0; at < CONFIG_BYTES; at += 4) {
    const word = probe.config(at, 4).toString(16);
    after.push(at === 0 ? word : word.padStart(8, '0'));
  }
  const status = (probe.config(6, 2) * 2 ** 16).toString(16).padStart(8, '0');
  return { bars_after_ones: bars, after_ones: after, status_after_ones: status };
}

function drive(probe: Probe): Record<string, unknown> {
  const bars = probe.placeAll();
  probe.enable();
  const legacy = bars.get(0);
  const modern = bars.get(4);
  const views: Record<string, unknown> = { legacy: undefined, modern: undefined };
  if (legacy !== undefined) views['legacy'] = driveLegacy(probe, legacy);
  if (modern !== undefined) views['modern'] = driveModern(probe, modern);
  return views;
}

function driveLegacy(probe: Probe, base: number): Record<string, unknown> {
  const features = `0x${probe.read(base + LEGACY.features, 4).toString(16)}`;
  const sizes: number[] = [];
  for (let queue = 0; ; queue++) {
    probe.write(base + LEGACY.select, 2, queue);
    const size = probe.read(base + LEGACY.size, 2);
    if (size === 0) break;
    sizes.push(size);
  }
  return {
    features,
    queue_sizes: sizes,
    config: sample(probe, base + LEGACY.config),
    msix: [],
    status: probe.read(base + LEGACY.status, 1),
  };
}

function driveModern(probe: Probe, base: number): Record<string, unknown> {
  const halves = [0, 1].map((word) => {
    probe.write(base + COMMON.featureSelect, 4, word);
    return BigInt(probe.read(base + COMMON.feature, 4));
  });
  const queues = probe.read(base + COMMON.queues, 2);
  const sizes: number[] = [];
  const offsets: number[] = [];
  for (let queue = 0; queue < queues; queue++) {
    probe.write(base + COMMON.select, 2, queue);
    sizes.push(probe.read(base + COMMON.size, 2));
    if (queue < OFFSETS_SHOWN) offsets.push(probe.read(base + COMMON.notifyOffset, 2));
  }
  return {
    features: `0x${((halves[0] ?? 0n) | ((halves[1] ?? 0n) << 32n)).toString(16)}`,
    num_queues: queues,
    config_generation: probe.read(base + COMMON.generation, 1),
    notify_off: offsets,
    queue_sizes: sizes,
    config: sample(probe, base + DEVICE_CONFIG),
    msix: [probe.read(base + COMMON.msix, 2)],
    status: probe.read(base + COMMON.status, 1),
  };
}

function sample(probe: Probe, address: number): string {
  let text = '';
  for (let i = 0; i < SAMPLE_BYTES; i++)
    text += probe
      .read(address + i, 1)
      .toString(16)
      .padStart(2, '0');
  return text;
}

/** The nodes below the host bridge, with the values of their properties. */
function treeNodes(probe: Probe): Record<string, Record<string, string>> {
  const tree = readFlattenedTree(probe.machine.deviceTree);
  const found: Record<string, Record<string, string>> = {};
  if (!tree.ok) return found;
  for (const bridge of tree.root.children) {
    if (!bridge.name.startsWith('pci@')) continue;
    for (const node of bridge.children) found[`/${bridge.name}/${node.name}`] = propertiesOf(node);
  }
  return found;
}

function propertiesOf(node: TreeNode): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value } of node.properties) values[name] = Buffer.from(value).toString('hex');
  return values;
}
