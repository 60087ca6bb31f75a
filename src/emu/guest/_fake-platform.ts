import { buildDeviceTree, type TreeFunction, type TreeInputs } from '../papr/device-tree.ts';
import type { GuestPlatform } from './platform.ts';

/** A function with nothing but a configuration space and a mask of the bits that may be written. */
export interface FakeFunction extends TreeFunction {
  readonly writable: Uint8Array;
}

/** Stands for the expansion ROM among a fake function's BARs. */
const ROM = 6;

export function fakeFunction(
  devfn: number,
  bars: readonly (readonly [index: number, kind: 'io' | 'mem32' | 'mem64', size: number])[],
): FakeFunction {
  const configSpace = new Uint8Array(256);
  const writable = new Uint8Array(256);
  const space = new DataView(configSpace.buffer);
  const mask = new DataView(writable.buffer);
  space.setUint32(0, 0x1001_1af4, true);
  mask.setUint16(4, 0x0507, true);
  for (const [index, kind, size] of bars) {
    const register = index === ROM ? 0x30 : 0x10 + 4 * index;
    space.setUint32(register, { io: 1, mem32: 0, mem64: 0xc }[kind], true);
    mask.setUint32(register, -size >>> 0, true);
    if (kind === 'mem64') mask.setUint32(register + 4, 0xffff_ffff, true);
    if (index === ROM) mask.setUint32(register, (-size | 1) >>> 0, true);
  }
  return {
    devfn,
    typeName: 'fake',
    configSpace,
    writable,
    msixVectors: 0,
    bars: bars.map(([index, kind, size]) => ({
      index,
      kind,
      prefetchable: kind === 'mem64',
      region: {
        name: 'fake',
        size,
        access: { validMin: 1, validMax: 4, validUnaligned: false, implMin: 1, implMax: 4 },
        read: () => 0,
        write: () => undefined,
      },
    })),
  };
}

const FAKE_RTAS: readonly { readonly name: string; readonly token: number }[] = [
  { name: 'ibm,set-xive', token: 0x200a },
  { name: 'ibm,int-off', token: 0x200c },
  { name: 'ibm,int-on', token: 0x200d },
  { name: 'ibm,read-pci-config', token: 0x2016 },
  { name: 'ibm,write-pci-config', token: 0x2017 },
  { name: 'ibm,query-interrupt-source-number', token: 0x2018 },
  { name: 'ibm,change-msi', token: 0x2019 },
];

/** Inputs of a tree with these functions; everything else is as pseries-7.2 has it. */
export function fakeTree(functions: readonly TreeFunction[]): TreeInputs {
  return {
    ramBytes: 0x100_0000,
    hotplugTop: 0,
    cpus: { count: 1, stride: 1 },
    rngSeed: new Uint8Array(32),
    rtasCalls: FAKE_RTAS,
    hypertasFunctions: ['hcall-tce', 'hcall-multi-tce'],
    platformSupport: new Uint8Array(8),
    pciProbeOnly: true,
    associativityReferencePoints: [4, 4, 2],
    epowIrq: 0x1000,
    hotplugIrq: 0x1001,
    hostBridgeConnectors: 31,
    hostBridge: {
      buid: 0x800000020000000n,
      io: { bus: 0, cpu: 0x200000000000, bytes: 0x10000 },
      mem32: { bus: 0x80000000, cpu: 0x200080000000, bytes: 0x80000000 },
      mem64: { bus: 0x210000000000, cpu: 0x210000000000, bytes: 0x10000000000 },
      liobn: 0x80000000,
      dmaWindowBytes: 0x40000000,
      ddw: { query: 0x2026, create: 0x2027, remove: 0x2028, reset: 0x2029 },
      lsi: [0x1200, 0x1201, 0x1202, 0x1203],
      msiCount: 0xd00,
      functions,
    },
    vdevices: [],
    platformRandom: false,
    afterCas: undefined,
  };
}

/** What answers a hypercall in a test: r4 … as it finds them; the status is returned. */
export type HcallAnswer = (registers: BigUint64Array) => bigint;

/**
 * A platform with RAM, configuration space by RTAS, and a log of everything else: enough to watch what a driver does
 * and to answer it by hand.
 */
export class FakePlatform implements GuestPlatform {
  readonly ramBytes: number;
  readonly deviceTree: Uint8Array;
  timebase = 0;
  readonly registers: BigUint64Array = new BigUint64Array(10);
  readonly ram: Uint8Array;
  /** `20 80000000 1000 12003`: token and the first arguments of every hypercall but RTAS, in hexadecimal. */
  readonly hcalls: string[] = [];
  /** `read 1:20.4`, `write 1:4.2 = 7`: configuration cycles by slot, register and width. */
  readonly cycles: string[] = [];
  /** Other RTAS calls: `2026 0 8000000 20000000`. */
  readonly rtas: string[] = [];
  readonly answers: Map<number, HcallAnswer> = new Map();
  readonly rtasAnswers: Map<number, (args: readonly number[]) => readonly number[]> = new Map();
  readonly #view: DataView;
  readonly #functions: readonly FakeFunction[];

  constructor(functions: readonly FakeFunction[] = [], tree: TreeInputs = fakeTree(functions)) {
    this.ramBytes = tree.ramBytes;
    this.deviceTree = buildDeviceTree(tree);
    this.ram = new Uint8Array(this.ramBytes);
    this.#view = new DataView(this.ram.buffer);
    this.#functions = functions;
  }

  load8(address: number): number {
    return this.#view.getUint8(address);
  }

  load16(address: number, littleEndian: boolean): number {
    return this.#view.getUint16(address, littleEndian);
  }

  load32(address: number, littleEndian: boolean): number {
    return this.#view.getUint32(address, littleEndian);
  }

  load64(address: number, littleEndian: boolean): bigint {
    return this.#view.getBigUint64(address, littleEndian);
  }

  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    into.set(this.ram.subarray(address, address + length), at);
  }

  store8(address: number, value: number): void {
    this.#view.setUint8(address, value);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint16(address, value, littleEndian);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint32(address, value, littleEndian);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    this.#view.setBigUint64(address, value, littleEndian);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    this.ram.set(from.subarray(at, at + length), address);
  }

  hcall(): void {
    const token = Number(this.registers[0]);
    if (token === 0xf000) {
      this.#rtas(Number(this.registers[1]));
      this.registers[0] = 0n;
      return;
    }
    const words = [...this.registers.subarray(0, 5)].map((word) => word.toString(16));
    this.hcalls.push(words.join(' '));
    this.registers[0] = this.answers.get(token)?.(this.registers) ?? 0n;
  }

  ucall(): void {
    this.registers[0] = BigInt.asUintN(64, -2n);
  }

  #rtas(buffer: number): void {
    const token = this.load32(buffer, false);
    const nargs = this.load32(buffer + 4, false);
    const args = Array.from({ length: nargs }, (_, index) => this.load32(buffer + 12 + 4 * index, false));
    const results = this.#rtasResults(token, args);
    for (const [index, result] of results.entries()) {
      this.store32(buffer + 12 + 4 * (nargs + index), result >>> 0, false);
    }
  }

  #rtasResults(token: number, args: readonly number[]): readonly number[] {
    if (token !== 0x2016 && token !== 0x2017) {
      this.rtas.push([token, ...args].map((word) => word.toString(16)).join(' '));
      return this.rtasAnswers.get(token)?.(args) ?? [0];
    }
    const [address = 0, , , width = 0, value = 0] = args;
    const register = address & 0xff;
    const found = this.#functions.find((row) => row.devfn === ((address >>> 8) & 0xff));
    const where = `${address >>> 11}:${register.toString(16)}.${width}`;
    if (token === 0x2016) {
      this.cycles.push(`read ${where}`);
      return found === undefined ? [-1] : [0, readBytes(found.configSpace, register, width)];
    }
    this.cycles.push(`write ${where} = ${value.toString(16)}`);
    if (found === undefined) return [-1];
    for (let i = 0; i < width; i++) {
      const mask = found.writable[register + i] ?? 0;
      const old = found.configSpace[register + i] ?? 0;
      found.configSpace[register + i] = (old & ~mask) | ((value >>> (8 * i)) & mask);
    }
    return [0];
  }

  read(): number {
    return 0;
  }

  write(): void {
    // No registers here.
  }

  read64(): bigint {
    return 0n;
  }

  write64(): void {
    // No registers here.
  }

  setCpu(): void {
    // One mode is as good as another here.
  }

  pending = false;

  interruptPending(): boolean {
    return this.pending;
  }

  advance(ticks: number): void {
    this.timebase += ticks;
  }

  idle(): void {
    // Nothing is ever due.
  }
}

function readBytes(space: Uint8Array, register: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (space[register + i] ?? 0);
  return value;
}
