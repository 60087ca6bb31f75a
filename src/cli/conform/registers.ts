import { createHash } from 'node:crypto';
import { PAGE_BYTES } from '../../emu/memory/guest-memory.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_ID_RNG, VIRTIO_PCI_QUEUE_NOTIFY } from '../../emu/virtio/abi.ts';
import type { VirtioCore } from '../../emu/virtio/core.ts';
import { UsageError } from '../options.ts';
import type { Lines, Tally } from './log.ts';
import { capabilitiesOf, makeProbe, type Probe } from './probe.ts';

const CAP_VENDOR = 9;
const PCI_CFG = 5;
/** Below it the agent that took the log lives. */
const AGENT_BYTES = 0x10_0000;
/** Which BAR each region of the log lies in, and how far in. */
const REGIONS: Readonly<Record<string, readonly [bar: number, offset: number]>> = {
  legacy: [0, 0],
  msix: [1, 0],
  common: [4, 0],
  isr: [4, 0x1000],
  device: [4, 0x2000],
  notify: [4, 0x3000],
};

interface ConfigLine {
  readonly config: number;
  readonly machine: string;
  readonly arg: string;
  readonly base: Readonly<Record<string, string>>;
  readonly command: number;
}

type AccessLine = readonly [
  direction: 'r' | 'w',
  region: string,
  offset: number,
  size: number,
  order: 'le' | 'be',
  via: 'cpu' | 'ci',
  value: string,
];
type WindowLine = readonly [
  'cap',
  bar: number,
  offset: number,
  length: number,
  written: string | null,
  read: string,
];

interface StateLine {
  readonly after: number;
  readonly state: Readonly<Record<string, unknown>>;
  readonly log: readonly (readonly [line: string, repeats: number])[];
}

interface RamLine {
  readonly ram: Readonly<Record<string, string>>;
}

/** Holds a log of register accesses against the emulator: every value read, QEMU's view of the device, its complaints. */
export async function conformRegisters(lines: Lines, tally: Tally): Promise<void> {
  let number = 0;
  let ramBytes = 0;
  let stand: Stand | undefined;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    const parsed: unknown = JSON.parse(line);
    if (number === 1) {
      ramBytes = (parsed as { ram: number }).ram;
      continue;
    }
    tally.judged();
    if (isConfig(parsed)) stand = new Stand(parsed, ramBytes, tally);
    else if (stand === undefined) throw new UsageError(`line ${number}: an access before any configuration`);
    else stand.judge(number, parsed);
  }
}

function isConfig(value: unknown): value is ConfigLine {
  return typeof value === 'object' && value !== null && 'config' in value;
}

/** One configuration of the log: a fresh machine, and what was done to it so far. */
class Stand {
  readonly #config: ConfigLine;
  readonly #probe: Probe;
  readonly #tally: Tally;
  readonly #base: ReadonlyMap<string, number>;
  readonly #window: number | undefined;
  #said = 0;
  /** What the entropy device's timer is up to: see `#resume`. */
  #timerSet = false;
  #status = 0;

  constructor(config: ConfigLine, ramBytes: number, tally: Tally) {
    const made = makeProbe({ machine: config.machine, device: config.arg, ramBytes });
    if (!made.accepted) throw new UsageError(`${config.arg} is refused: ${made.reason}`);
    this.#config = config;
    this.#probe = made.value;
    this.#tally = tally;
    this.#base = new Map(Object.entries(config.base).map(([name, address]) => [name, Number(address)]));
    for (const [name, address] of this.#base) {
      const [bar, offset] = REGIONS[name] ?? [0, 0];
      this.#probe.placeBar(bar, address - offset);
    }
    this.#probe.enable(config.command);
    this.#window = capabilitiesOf(this.#probe).find(
      (cap) => cap.id === CAP_VENDOR && cap.type === PCI_CFG,
    )?.at;
    this.#said = this.#probe.log.lines.length;
  }

  judge(line: number, entry: unknown): void {
    if (Array.isArray(entry)) {
      if (entry[0] === 'cap') this.#accessWindow(line, entry as unknown as WindowLine);
      else this.#access(line, entry as unknown as AccessLine);
      this.#probe.machine.platform.idle();
    } else if (typeof entry === 'object' && entry !== null && 'after' in entry) {
      this.#judgeState(line, entry as StateLine);
    } else this.#judgeRam(line, entry as RamLine);
  }

  #access(line: number, access: AccessLine): void {
    const [direction, region, offset, size, order, via, value] = access;
    const base = this.#base.get(region);
    if (base === undefined) throw new UsageError(`line ${line}: no address of ${region} was given`);
    const address = base + offset;
    if (direction === 'w') {
      const didLook = this.#looksAtRing();
      this.#probe.store(address, size, BigInt(value), order === 'be', via === 'ci');
      const kicks = region === 'notify' || (region === 'legacy' && offset === VIRTIO_PCI_QUEUE_NOTIFY);
      const status = this.#probe.function.device.status;
      if (this.#looksAtRing() && (kicks || (!didLook && status !== this.#status))) this.#timerSet = true;
      this.#status = status;
      return;
    }
    const got = this.#probe.load(address, size, order === 'be', via === 'ci');
    this.#compare(line, JSON.stringify(access), value, `0x${got.toString(16)}`);
  }

  /** An access through the PCI configuration access capability: where, how wide, then the data. */
  #accessWindow(line: number, access: WindowLine): void {
    const [, bar, offset, length, written, read] = access;
    const at = this.#window;
    if (at === undefined) throw new UsageError(`line ${line}: the function has no access capability`);
    const probe = this.#probe;
    probe.setConfig(at + 4, 1, bar);
    probe.setConfig(at + 8, 4, offset);
    probe.setConfig(at + 12, 4, length);
    if (written !== null) probe.setConfig(at + 16, 4, Number(written));
    this.#compare(line, JSON.stringify(access), read, `0x${probe.config(at + 16, 4).toString(16)}`);
  }

  #judgeState(line: number, { after, state, log }: StateLine): void {
    const { device } = this.#probe.function;
    const actual: Record<string, unknown> = {
      'device-endian': device.order,
      started: device.started,
      'start-on-kick': device.startOnKick,
      broken: device.broken,
      disabled: device.disabled,
      isr: device.isr,
      'queue-sel': device.queueSelect,
      // Of the host: whether it had told the device that the machine runs.
      'vm-running': state['vm-running'],
    };
    for (const [name, wanted] of Object.entries(state)) {
      this.#compare(line, `after ${after}: ${name}`, String(wanted), String(actual[name]));
    }
    const said = this.#probe.log.lines.slice(this.#said);
    this.#said = this.#probe.log.lines.length;
    this.#compare(
      line,
      `after ${after}: log`,
      JSON.stringify(log),
      JSON.stringify(repeats(inTwoStreams(said))),
    );
    this.#resume();
  }

  /**
   * The collector stopped the machine to ask for a device's state. When it goes on, QEMU gives every started device its
   * status again (virtio_vmstate_change), and an entropy device looks at its ring once more.
   */
  #resume(): void {
    const { device } = this.#probe.function;
    if (!device.started) return;
    device.setStatus(device.status);
    if (device.virtioId !== VIRTIO_ID_RNG) return;
    const looks = this.#looksAtRing();
    if (looks) device.setStatus(device.status);
    // Its timer of 65 s, which the first look at a ring sets, falls due meanwhile: virtual time jumped.
    if (looks && this.#timerSet) device.setStatus(device.status);
    this.#timerSet = looks && !this.#timerSet;
  }

  /** Whether an entropy device looks at its ring, given the chance: DRIVER_OK, and an available ring. */
  #looksAtRing(): boolean {
    const device = this.#probe.function.device as VirtioCore;
    return (device.status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0 && device.queue(0)?.ring.driver.isZero === false;
  }

  #judgeRam(line: number, { ram }: RamLine): void {
    const { memory } = this.#probe.machine;
    const pages: Record<string, string> = {};
    for (const page of memory.livePages()) {
      if (page * PAGE_BYTES < AGENT_BYTES) continue;
      const bytes = memory.view(page * PAGE_BYTES, PAGE_BYTES);
      if (bytes.every((byte) => byte === 0)) continue;
      pages[`0x${(page * PAGE_BYTES).toString(16)}`] = createHash('sha256').update(bytes).digest('hex');
    }
    this.#compare(line, 'RAM at the end', JSON.stringify(ram), JSON.stringify(pages));
  }

  #compare(line: number, what: string, expected: string, actual: string): void {
    if (expected === actual) return;
    this.#tally.mismatch(line, `configuration ${this.#config.config}, ${what}`, expected, actual);
  }
}

/** The collector kept QEMU's log of guest errors and its stderr apart, and listed the log first. */
function inTwoStreams(lines: readonly string[]): string[] {
  const onStderr = (line: string): boolean => line.startsWith('qemu-system-ppc64: ');
  return [...lines.filter((line) => !onStderr(line)), ...lines.filter(onStderr)];
}

/** Equal lines that follow each other, counted. */
function repeats(lines: readonly string[]): [string, number][] {
  const counted: [string, number][] = [];
  for (const line of lines) {
    const last = counted.at(-1);
    if (last !== undefined && last[0] === line) last[1]++;
    else counted.push([line, 1]);
  }
  return counted;
}
