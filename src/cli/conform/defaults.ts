import { realizeDevice } from '../../emu/machine/realize.ts';
import { machineType, type MachineType } from '../../emu/machine/types.ts';
import { UsageError } from '../options.ts';
import type { Lines, Tally } from './log.ts';
import { capabilitiesOf, makeProbe, type CapabilityView, type Probe } from './probe.ts';

const CAP_MSIX = 17;
const EXTRA_BYTES = 20;
/** The collector's machines had two processors. */
const CPUS = 2;
/** Queues whose sizes the collector asked for by each interface. */
const LEGACY_SIZES = 4;
const MODERN_SIZES = 5;
const BUID = '800000020000000';

/** What the collector called each device, and how it made it. */
const DEVICES: Readonly<Record<string, string>> = {
  net: 'virtio-net-pci',
  blk: 'virtio-blk-pci,drive=d',
  rng: 'virtio-rng-pci,rng=r',
  scsi: 'virtio-scsi-pci',
  serial: 'virtio-serial-pci',
  balloon: 'virtio-balloon-pci',
};

type Observed = Readonly<Record<string, unknown>>;

/** Holds the defaults of every machine version against the emulator: one JSON object, version → device → observables. */
export async function conformDefaults(lines: Lines, tally: Tally): Promise<void> {
  const texts: string[] = [];
  for await (const line of lines) texts.push(line);
  const versions = JSON.parse(texts.join('\n')) as Readonly<Record<string, Observed>>;
  for (const [version, observed] of Object.entries(versions)) {
    // Version and device begin lines of their own as the collector printed them.
    const line = 1 + texts.findIndex((text) => text.trimStart().startsWith(`"${version}":`));
    for (const [name, expected] of Object.entries(observed)) {
      tally.judged();
      judge(version, name, expected, (what, wanted, got) => {
        const [a, b] = [JSON.stringify(wanted), JSON.stringify(got)];
        if (a !== b) tally.mismatch(line, `pseries-${version} ${what}`, a ?? 'nothing', b ?? 'nothing');
      });
    }
  }
}

type Differs = (what: string, wanted: unknown, got: unknown) => void;

function judge(version: string, name: string, expected: unknown, differs: Differs): void {
  const machine = `pseries-${version}`;
  if (name === 'err') judgeWarnings(machine, expected as string, differs);
  else if (name === 'win') judgeWindows(machine, expected as readonly string[], differs);
  else {
    const device = DEVICES[name];
    if (device === undefined) throw new UsageError(`defaults of a device that nobody knows: ${name}`);
    judgeDevice(name, machine, device, expected as Observed, differs);
  }
}

function make(machine: string, device: string): Probe {
  const made = makeProbe({ machine, device, cpus: CPUS });
  if (!made.accepted) throw new UsageError(`${machine} with ${device} is refused: ${made.reason}`);
  return made.value;
}

/** What QEMU said at start, about processors and about a network device without a peer. */
function judgeWarnings(machine: string, expected: string, differs: Differs): void {
  const made = makeProbe({ machine, device: 'virtio-rng-pci,rng=r', cpus: CPUS });
  const said = made.accepted ? made.warnings.map((text) => `qemu-system-ppc64: warning: ${text}`) : [];
  const heard = expected.split('\n').filter((line) => line !== '' && !line.endsWith('has no peer'));
  differs('warnings', heard, said);
}

function judgeWindows(machine: string, expected: readonly string[], differs: Differs): void {
  const { io, mem32, mem64 } = make(machine, 'virtio-rng-pci,rng=r').machine.bridge;
  const windows = [
    ['io', io],
    ['mmio32', mem32],
    ['mmio64', mem64],
  ] as const;
  const shown: string[] = [];
  for (const [name, window] of windows) {
    if (window === undefined) continue;
    const range = `${hex16(window.cpu)}-${hex16(window.cpu + window.bytes - 1)}`;
    shown.push(`${range} (prio 0, i/o): alias pci@${BUID}.${name}-alias`);
  }
  // Longer lines go on with what is aliased.
  differs(
    'windows',
    expected.map((line) => line.replace(/-alias .*$/, '-alias')),
    shown,
  );
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, '0');
}

function judgeDevice(
  name: string,
  machine: string,
  device: string,
  expected: Observed,
  differs: Differs,
): void {
  const probe = make(machine, device);
  const actual: Record<string, unknown> = {
    id: `0x${probe.config(0, 4).toString(16)}`,
    cls: `0x${probe.config(8, 4).toString(16)}`,
    sub: `0x${probe.config(0x2c, 4).toString(16)}`,
    intpin: probe.config(0x3d, 1),
    bars: barsOf(probe),
    caps: capabilitiesOf(probe).map(describeCapability),
    ...drive(probe),
  };
  for (const [what, wanted] of Object.entries(expected)) {
    if (what === 'props') judgeProperties(name, machine, device, wanted as Observed, differs);
    else differs(`${name} ${what}`, wanted, actual[what]);
  }
}

function barsOf(probe: Probe): Record<string, unknown> {
  const bars: Record<string, unknown> = {};
  for (const { index, kind, prefetchable, region } of probe.function.bars) {
    if (index < 6) bars[index] = [kind + (prefetchable ? 'pf' : ''), `0x${region.size.toString(16)}`];
  }
  return bars;
}

function describeCapability(cap: CapabilityView): unknown[] {
  if (cap.id === CAP_MSIX) return [cap.at, 'msix', cap.control, cap.table, cap.offset];
  const extra = cap.length >= EXTRA_BYTES && cap.type !== 5 ? cap.extra : null;
  return [cap.at, 'vndr', cap.length, cap.type, cap.bar, cap.offset, cap.bytes, extra];
}

function judgeProperties(
  name: string,
  machine: string,
  device: string,
  expected: Observed,
  differs: Differs,
): void {
  const made = realizeDevice(device, {
    machine: machineType(machine) as MachineType,
    cpus: CPUS,
    globals: [],
    backends: () => true,
    slot: 'conventional',
    taken: new Map(),
  });
  for (const [property, wanted] of Object.entries(expected)) {
    const got = made.accepted ? made.value.values.get(property) : undefined;
    differs(`${name} property ${property}`, wanted, got);
  }
}

function drive(probe: Probe): Record<string, unknown> {
  const bars = probe.placeAll();
  probe.enable();
  const views: Record<string, unknown> = {};
  const legacy = bars.get(0);
  if (legacy !== undefined) {
    views['lf'] = `0x${probe.read(legacy, 4).toString(16)}`;
    views['qsz'] = Array.from({ length: LEGACY_SIZES }, (_, queue) => {
      probe.write(legacy + 14, 2, queue);
      return probe.read(legacy + 12, 2);
    });
  }
  const modern = bars.get(4);
  if (modern === undefined) return views;
  const words = [0, 1].map((word) => {
    probe.write(modern, 4, word);
    return BigInt(probe.read(modern + 4, 4));
  });
  const queues = probe.read(modern + 0x12, 2);
  views['mf'] = `0x${((words[0] ?? 0n) | ((words[1] ?? 0n) << 32n)).toString(16)}`;
  views['numq'] = queues;
  views['qsz'] = Array.from({ length: Math.min(queues, MODERN_SIZES) }, (_, queue) => {
    probe.write(modern + 0x16, 2, queue);
    return probe.read(modern + 0x18, 2);
  });
  return views;
}
