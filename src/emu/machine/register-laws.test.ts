import test, { type ExecutionContext } from 'ava';
import type { MachineConfig } from './config.ts';
import { DEVICE_FAMILIES } from './device-types.ts';
import { Machine } from './machine.ts';

// Laws of width and alignment that hold for every register of every device type in every mode, as QEMU's memory regions
// have them: valid 1 to 8 bytes and aligned, implemented in 1 to 4 (hw/virtio/virtio-pci.c, softmmu/memory.c).

const MODERN_BAR = 0x2100_1000_0000;
const IO_BAR = 0x1000;
const IO_WINDOW = 0x2000_0000_0000;
const COMMAND = 4;
const BAR_0 = 0x10;
const WIDTHS = [1, 2, 4, 8] as const;
type Width = (typeof WIDTHS)[number];

const MODES = [
  { name: 'transitional', options: 'disable-modern=off,disable-legacy=off', writes: true },
  {
    name: 'modern, a page a queue',
    options: 'disable-modern=off,disable-legacy=on,page-per-vq=on',
    writes: false,
  },
];
const ARGUMENTS: Readonly<Record<string, string>> = {
  'virtio-blk-pci': 'drive=d',
  'virtio-net-pci': 'netdev=n',
  'virtio-rng-pci': 'rng=e',
  'virtio-9p-pci': 'fsdev=f,mount_tag=t',
  'virtio-crypto-pci': 'cryptodev=c',
};
const BACKENDS: MachineConfig['backends'] = [
  { kind: 'disk', id: 'd', sectors: 64, content: 'golden', readOnly: false },
  { kind: 'net', id: 'n', loopback: true },
  { kind: 'entropy', id: 'e' },
  { kind: 'crypto', id: 'c' },
];

/** Types that need something of the host that is not there, in QEMU's words. */
const NEEDS_HOST = /evdev property is required|guest-cid property|couldn't find fsdev|modern-only/;

/** Registers of the common configuration (4.1.4.3): offset → bytes. Nothing lies between them. */
const COMMON: ReadonlyMap<number, 1 | 2 | 4> = new Map([
  [0x00, 4], // device_feature_select
  [0x04, 4], // device_feature
  [0x08, 4], // driver_feature_select
  [0x0c, 4], // driver_feature
  [0x10, 2], // config_msix_vector
  [0x12, 2], // num_queues
  [0x14, 1], // device_status
  [0x15, 1], // config_generation
  [0x16, 2], // queue_select
  [0x18, 2], // queue_size
  [0x1a, 2], // queue_msix_vector
  [0x1c, 2], // queue_enable
  [0x1e, 2], // queue_notify_off
  [0x20, 4], // queue_desc
  [0x24, 4],
  [0x28, 4], // queue_driver
  [0x2c, 4],
  [0x30, 4], // queue_device
  [0x34, 4],
  [0x3a, 2], // queue_reset; queue_notify_data at 0x38 is not there
]);
/** Registers of the legacy header (4.1.4.10), with those of MSI-X not yet enabled: 20 and 22 are configuration then. */
const LEGACY: ReadonlyMap<number, 1 | 2 | 4> = new Map([
  [0, 4], // device features
  [4, 4], // driver features
  [8, 4], // queue address
  [12, 2], // queue size
  [14, 2], // queue select
  [16, 2], // queue notify
  [18, 1], // device status
  [19, 1], // ISR status
]);
const LEGACY_CONFIG = 20;
const COMMON_END = 0x48;

interface Stand {
  readonly machine: Machine;
  readonly legacy: boolean;
  readonly legacyBytes: number;
}

function stand(name: string, options: string): Stand | string {
  const extra = ARGUMENTS[name];
  const verdict = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'registers',
    devices: [[name, ...(extra === undefined ? [] : [extra]), options].join(',')],
    globals: [],
    backends: BACKENDS,
  });
  if (!verdict.accepted) return verdict.reason;
  const machine = verdict.value;
  const [made] = machine.functions;
  if (made === undefined) return 'no function';
  for (const bar of made.bars) {
    if (bar.kind === 'mem32') continue;
    const base = bar.kind === 'io' ? IO_BAR : MODERN_BAR;
    made.configWrite(BAR_0 + 4 * bar.index, 4, base >>> 0);
    if (bar.kind === 'mem64') made.configWrite(BAR_0 + 4 * bar.index + 4, 4, Math.floor(base / 2 ** 32));
  }
  made.configWrite(COMMAND, 2, 7);
  return {
    machine,
    legacy: made.bars.some(({ index, kind }) => index === 0 && kind === 'io'),
    legacyBytes: made.bars.find(({ index }) => index === 0)?.region.size ?? 0,
  };
}

function read({ platform }: Machine, address: number, width: Width): bigint {
  return width === 8 ? platform.read64(address, false) : BigInt(platform.read(address, width, false));
}

function write({ platform }: Machine, address: number, width: Width, value: bigint): void {
  if (width === 8) platform.write64(address, value, false);
  else platform.write(address, width, Number(value), false);
}

const cut = (value: bigint, width: Width): bigint => BigInt.asUintN(8 * width, value);

/** What a read of any width at any place must give, from what aligned reads of at most four bytes give. */
function expected(
  aligned: (offset: number, width: 1 | 2 | 4) => bigint,
  offset: number,
  width: Width,
): bigint {
  const whole = (at: number): bigint =>
    width === 8 ? aligned(at, 4) | (aligned(at + 4, 4) << 32n) : aligned(at, width);
  const odd = offset % width;
  if (odd === 0) return whole(offset);
  // Two aligned loads side by side, and the bytes asked for out of their middle.
  const both = whole(offset - odd) | (whole(offset - odd + width) << BigInt(8 * width));
  return cut(both >> BigInt(8 * odd), width);
}

/** Every wrong read of [0, end) of a window of registers, as `expected` has it; the first that is otherwise. */
function wrongRead(
  machine: Machine,
  base: number,
  end: number,
  aligned: (offset: number, width: 1 | 2 | 4) => bigint,
): string | undefined {
  for (const width of WIDTHS) {
    for (let offset = 0; offset + 2 * width <= end; offset++) {
      const wanted = expected(aligned, offset, width);
      const got = read(machine, base + offset, width);
      if (got !== wanted)
        return `${width} bytes at ${offset}: ${got.toString(16)}, not ${wanted.toString(16)}`;
    }
  }
  return undefined;
}

/** Two ways to write the same must leave the same machine. */
function sameAfter(machine: Machine, one: () => void, other: () => void): boolean {
  const before = machine.snapshot();
  one();
  const first = machine.digest();
  machine.restore(before);
  other();
  const second = machine.digest();
  machine.restore(before);
  return first === second;
}

/** A write of any width at any place is these of at most four bytes, aligned, one after the other. */
function* pieces(
  offset: number,
  width: Width,
  value: bigint,
): Generator<readonly [number, 1 | 2 | 4, bigint]> {
  if (offset % width !== 0) {
    for (let i = 0; i < width; i++) yield [offset + i, 1, cut(value >> BigInt(8 * i), 1)];
  } else if (width === 8) {
    yield [offset, 4, cut(value, 4)];
    yield [offset + 4, 4, value >> 32n];
  } else yield [offset, width, value];
}

const VALUES = [0x0807_0605_0403_0201n, 0xffff_ffff_ffff_ffffn, 1n];

/** The first write whose effect is not that of its pieces to `registers`; a piece elsewhere does nothing. */
function wrongWrite(
  machine: Machine,
  base: number,
  end: number,
  registers: (offset: number) => boolean,
): string | undefined {
  for (const [i, width] of WIDTHS.entries()) {
    for (let offset = 0; offset + width <= end; offset++) {
      const value = cut(VALUES[(offset + i) % VALUES.length] ?? 0n, width);
      const parts = [...pieces(offset, width, value)].filter(([at]) => registers(at));
      const same = sameAfter(
        machine,
        () => write(machine, base + offset, width, value),
        () => {
          for (const [at, bytes, part] of parts) write(machine, base + at, bytes, part);
        },
      );
      if (!same) return `${width} bytes of ${value.toString(16)} at ${offset}`;
    }
  }
  return undefined;
}

for (const { name } of DEVICE_FAMILIES) {
  test(`${name}: every register answers accesses of every width, and nothing else does`, (t) => {
    for (const mode of MODES) {
      const made = stand(name, mode.options);
      if (typeof made === 'string') t.regex(made, NEEDS_HOST);
      else {
        checkModern(t, made, mode.name);
        if (mode.writes) checkWrites(t, made, mode.name);
        if (made.legacy) checkLegacy(t, made, mode.name);
      }
    }
  });
}

/** A register is found by its offset alone: a wider read shows no neighbour, a narrower one the low bytes. */
function checkModern(t: ExecutionContext, made: Stand, mode: string): void {
  const { machine } = made;
  prepare(made);
  const values = new Map<number, bigint>();
  for (const [offset, bytes] of COMMON) values.set(offset, read(machine, MODERN_BAR + offset, bytes));
  const common = (at: number, width: 1 | 2 | 4): bigint => cut(values.get(at) ?? 0n, width);
  t.is(wrongRead(machine, MODERN_BAR, COMMON_END, common), undefined, `${mode}, common`);
  t.is(
    wrongRead(machine, MODERN_BAR + 0x1000, 0x20, () => 0n),
    undefined,
    `${mode}, ISR`,
  );
  t.is(
    wrongRead(machine, MODERN_BAR + 0x3000, 0x20, () => 0n),
    undefined,
    `${mode}, notify`,
  );
  checkWindow(t, made, mode);
}

function checkWrites(t: ExecutionContext, made: Stand, mode: string): void {
  const { machine } = made;
  t.is(
    wrongWrite(machine, MODERN_BAR, COMMON_END, (at) => COMMON.has(at)),
    undefined,
    `${mode}, common`,
  );
  t.is(
    wrongWrite(machine, MODERN_BAR + 0x1000, 0x10, () => false),
    undefined,
    `${mode}, ISR`,
  );
  checkConfig(t, made, MODERN_BAR + 0x2000, `${mode}, device`);
}

/** Registers that differ from zero, as far as a driver can make them so. */
function prepare({ machine }: Stand): void {
  for (const [offset, width, value] of [
    [0x14, 1, 1n],
    [0x14, 1, 3n],
    [0x00, 4, 1n],
    [0x08, 4, 1n],
    [0x0c, 4, 1n],
    [0x10, 2, 0n],
    [0x16, 2, 0n],
    [0x18, 2, 4n],
    [0x1a, 2, 1n],
    [0x20, 4, 0x0101_1000n],
    [0x24, 4, 0x0202_0202n],
    [0x28, 4, 0x0303_2000n],
    [0x30, 4, 0x0505_3000n],
    [0x34, 4, 0x0606_0606n],
  ] as const) {
    write(machine, MODERN_BAR + offset, width, value);
  }
}

/** The PCI configuration access capability (4.1.4.9): cap_len 20, type 5. */
function windowAt(config: Uint8Array): number {
  for (let at = config[0x34] ?? 0; at !== 0; at = config[at + 1] ?? 0) {
    if (config[at] === 9 && config[at + 3] === 5) return at;
  }
  throw new Error('a modern function has a window');
}

const WINDOW_OFFSETS = [0, 4, 0x12, 0x14, 0x16, 0x17, 0x19, 0x1c, 0x1f, 0x21, 0x2000, 0x2001, 0x2003, 0x3000];
const NOWHERE = [0x100_0000, 0xffff_fffc];

/** The window reaches the same registers as the BAR, by offset alone: which BAR it names does not matter. */
function checkWindow(t: ExecutionContext, { machine }: Stand, mode: string): void {
  const [made] = machine.functions;
  if (made === undefined) return;
  const at = windowAt(made.configSpace);
  const set = (bar: number, offset: number, length: number): void => {
    made.configWrite(at + 4, 1, bar);
    made.configWrite(at + 8, 4, offset);
    made.configWrite(at + 12, 4, length);
  };
  const put = (width: 1 | 2 | 4, value: number): void => {
    made.configWrite(at + 16, width, value);
  };
  for (const width of [1, 2, 4] as const) {
    for (const [i, offset] of WINDOW_OFFSETS.entries()) {
      const where = `${mode}, ${width} bytes at ${offset}`;
      const direct = MODERN_BAR + offset - (offset % width);
      set([0, 4, 7][i % 3] ?? 0, offset, width);
      t.is(BigInt(made.configRead(at + 16, width)), read(machine, direct, width), where);
      const value = cut(VALUES[i % VALUES.length] ?? 0n, width);
      // Both leave the same bytes in the window.
      const rest = (): void => {
        set(0, 0, 0);
        put(4, 0);
      };
      t.true(
        sameAfter(
          machine,
          () => {
            put(width, Number(value));
            rest();
          },
          () => {
            write(machine, direct, width, value);
            rest();
          },
        ),
        where,
      );
    }
  }
  for (const [offset, length] of [
    ...NOWHERE.map((far) => [far, 4] as const),
    ...[0, 3, 5, 8, 0x104, 0xffff_ffff].map((bytes) => [0x14, bytes] as const),
  ]) {
    set(0, offset, length);
    put(4, 0x0403_0201);
    t.is(made.configRead(at + 16, 4), 0x0403_0201, `${mode}, ${length} bytes at ${offset}`);
    t.is(read(machine, MODERN_BAR + 0x14, 1), 3n);
  }
}

/** Device configuration is bytes: what begins inside and ends beyond it reads as ones whole, and is not written. */
function checkConfig(t: ExecutionContext, { machine }: Stand, base: number, where: string): void {
  const length = machine.functions[0]?.device.configLength ?? 0;
  const bytes = Array.from({ length }, (_, i) => read(machine, base + i, 1));
  const aligned = (at: number, width: 1 | 2 | 4): bigint => {
    if (at + width > length) return cut(-1n, width);
    let value = 0n;
    for (let i = 0; i < width; i++) value |= (bytes[at + i] ?? 0n) << BigInt(8 * i);
    return value;
  };
  t.is(wrongRead(machine, base, length + 24, aligned), undefined, where);
  t.is(
    wrongWrite(machine, base, length + 16, () => true),
    undefined,
    where,
  );
  t.is(
    wrongWrite(machine, base + Math.ceil(length / 8) * 8, 24, () => false),
    undefined,
    `${where}, beyond its end`,
  );
}

function checkLegacy(t: ExecutionContext, { machine, legacyBytes }: Stand, mode: string): void {
  const base = IO_WINDOW + IO_BAR;
  const where = `${mode}, legacy`;
  const values = new Map<number, bigint>();
  for (const [offset, bytes] of LEGACY) values.set(offset, read(machine, base + offset, bytes));
  const notify = 16;
  const aligned = (at: number, width: 1 | 2 | 4): bigint =>
    cut(at === notify ? -1n : (values.get(at) ?? -1n), width);
  // The last reads that do not reach into the configuration.
  t.is(wrongRead(machine, base, LEGACY_CONFIG, aligned), undefined, where);
  t.is(
    wrongWrite(machine, base, LEGACY_CONFIG - 8, (at) => LEGACY.has(at)),
    undefined,
    where,
  );
  t.is(
    wrongWrite(machine, base, Math.min(legacyBytes, 0x40), (at) => at >= LEGACY_CONFIG || LEGACY.has(at)),
    undefined,
    where,
  );
}
