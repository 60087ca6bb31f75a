import { Digest } from '../core/digest.ts';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { EventQueue } from '../core/event-queue.ts';
import { StateHasher, StateLoader, StateSaver } from '../core/state.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { PagedMemory, type MemorySnapshot } from '../memory/guest-memory.ts';
import { ANY_WIDTH, type Region } from '../memory/region.ts';
import type { Bar, PciFunction } from '../pci/function.ts';
import type { MachineRequest, Negotiated, PaprEnvironment, PaprOptions } from './environment.ts';
import { PSERIES_7_2 } from './options.ts';
import { Papr } from './papr.ts';
import type { PartitionSnapshot } from './partition.ts';

/** SF and ME: privileged, big-endian, real mode. */
const PRIVILEGED = 0x8000_0000_0000_1000n;
const RTAS_BUFFER = 0x1000;

export interface TestSnapshot {
  readonly state: Uint8Array;
  readonly papr: PartitionSnapshot;
  readonly memory: MemorySnapshot;
}

/** A platform on 16 MiB of RAM that notes down what it asks of its machine. */
export class TestPlatform implements PaprEnvironment {
  readonly options: PaprOptions;
  readonly queue: EventQueue = new EventQueue();
  readonly diagnostics: DiagnosticLog = new DiagnosticLog();
  readonly system: AddressSpace = new AddressSpace();
  readonly memory: PagedMemory;
  readonly papr: Papr;
  readonly registers: BigUint64Array<ArrayBuffer> = new BigUint64Array(10);
  msr: bigint = PRIVILEGED;
  cpu = 0;
  randomWords: bigint[] | undefined = undefined;
  tree: Uint8Array | undefined = undefined;
  negotiated: Negotiated | undefined = undefined;
  readonly interrupts: [source: number, level: number][] = [];
  readonly cpuInterrupts: [server: number, asserted: boolean][] = [];
  readonly requests: MachineRequest[] = [];
  readonly strays: [address: bigint, data: number][] = [];
  readonly started: [cpu: number, address: bigint, argument: bigint][] = [];
  readonly systemResets: number[] = [];
  console = '';

  constructor(differences: Partial<PaprOptions> = {}) {
    this.options = { ...PSERIES_7_2, ramBytes: 0x100_0000, maxRamBytes: 0x100_0000, ...differences };
    this.memory = new PagedMemory(this.options.ramBytes);
    this.papr = new Papr(this);
    this.papr.reset();
  }

  /** Status as a signed number. */
  hcall(token: number | bigint, ...args: readonly (number | bigint)[]): number {
    this.registers.fill(0n);
    this.registers[0] = BigInt.asUintN(64, BigInt(token));
    for (const [i, value] of args.entries()) this.registers[i + 1] = BigInt.asUintN(64, BigInt(value));
    return this.enter();
  }

  enter(): number {
    this.papr.hcall(this.registers, this.msr, this.cpu);
    return Number(BigInt.asIntN(64, this.registers[0] ?? 0n));
  }

  /** r4 for 0, and so on. */
  output(index: number): bigint {
    return this.registers[index + 1] ?? 0n;
  }

  /** Results as unsigned words; what was not written is 0xdeadbeef. */
  rtas(token: number, args: readonly number[], nret: number): number[] {
    const words = [token, args.length, nret, ...args, ...Array.from({ length: 8 }, () => 0xdead_beef)];
    for (const [i, word] of words.entries()) this.memory.setU32(RTAS_BUFFER + 4 * i, word, false);
    this.hcall(0xf000, RTAS_BUFFER);
    const at = RTAS_BUFFER + 12 + 4 * args.length;
    return Array.from({ length: Math.max(nret, 1) }, (_, i) => this.memory.u32(at + 4 * i, false));
  }

  save(): TestSnapshot {
    const saver = new StateSaver();
    this.queue.exchange(saver);
    this.papr.exchange(saver);
    return { state: saver.finish(), papr: this.papr.snapshot(), memory: this.memory.snapshot() };
  }

  restore(snapshot: TestSnapshot): void {
    const loader = new StateLoader(snapshot.state);
    this.queue.exchange(loader);
    this.papr.exchange(loader);
    loader.done();
    this.papr.restore(snapshot.papr);
    this.memory.restore(snapshot.memory);
  }

  digest(): string {
    const digest = new Digest();
    this.papr.exchange(new StateHasher(digest));
    this.papr.digest(digest);
    this.memory.digest(digest);
    return digest.hex();
  }

  hypervisorRead(address: number, into: Uint8Array, at: number, length: number): void {
    this.memory.read(address, into, at, length);
  }

  hypervisorWrite(address: number, from: Uint8Array, at: number, length: number): void {
    this.memory.write(address, from, at, length);
  }

  peek(address: number, into: Uint8Array, at: number, length: number): void {
    this.memory.read(address, into, at, length);
  }

  poke(address: number, from: Uint8Array, at: number, length: number): void {
    this.memory.write(address, from, at, length);
  }

  mapsChanged(): void {}

  strayMessage(_phb: number, _devfn: number, address: bigint, data: number): void {
    this.strays.push([address, data]);
  }

  interrupt(source: number, level: 0 | 1 | 2): void {
    this.interrupts.push([source, level]);
  }

  cpuInterrupt(server: number, asserted: boolean): void {
    this.cpuInterrupts.push([server, asserted]);
  }

  consoleOutput(_port: number, bytes: Uint8Array, length: number): void {
    this.console += String.fromCharCode(...bytes.subarray(0, length));
  }

  request(kind: MachineRequest): void {
    this.requests.push(kind);
  }

  startCpu(cpu: number, address: bigint, argument: bigint): void {
    this.started.push([cpu, address, argument]);
  }

  systemReset(cpu: number): void {
    this.systemResets.push(cpu);
  }

  randomWord(): bigint | undefined {
    return this.randomWords?.shift();
  }

  buildTree(negotiated: Negotiated, room: number): Uint8Array | undefined {
    this.negotiated = negotiated;
    return this.tree === undefined || this.tree.length > room ? undefined : this.tree;
  }

  rtasCalled(): void {}

  rtasReturned(): void {}
}

/** Bytes behind a BAR. */
class TestRegion implements Region {
  readonly access: typeof ANY_WIDTH = ANY_WIDTH;
  readonly name: string;
  readonly size: number;
  readonly bytes: Uint8Array;

  constructor(name: string, size: number) {
    this.name = name;
    this.size = size;
    this.bytes = new Uint8Array(size);
  }

  read(offset: number, width: 1 | 2 | 4): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (this.bytes[offset + i] ?? 0);
    return value;
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < width; i++) this.bytes[offset + i] = Math.floor(value / 256 ** i);
  }
}

/** A function with an I/O BAR, a 32-bit and a 64-bit one, whose configuration space is plain bytes. */
export class TestFunction implements PciFunction {
  readonly devfn: number;
  readonly typeName: string = 'test-pci';
  readonly configBytes: number = 256;
  readonly configSpace: Uint8Array = new Uint8Array(256);
  readonly regions: readonly TestRegion[] = [
    new TestRegion('io', 0x40),
    new TestRegion('mem32', 0x1000),
    new TestRegion('mem64', 0x4000),
  ];
  readonly bars: readonly Bar[];
  busMaster = true;
  msixVectors: number;
  readonly addresses: Map<number, number> = new Map();
  readonly messages: Map<number, number> = new Map();

  constructor(devfn: number, msixVectors = 4) {
    this.devfn = devfn;
    this.msixVectors = msixVectors;
    const [io, mem32, mem64] = this.regions as [TestRegion, TestRegion, TestRegion];
    this.bars = [
      { index: 0, kind: 'io', prefetchable: false, region: io },
      { index: 1, kind: 'mem32', prefetchable: false, region: mem32 },
      { index: 4, kind: 'mem64', prefetchable: true, region: mem64 },
    ];
  }

  configRead(offset: number, width: 1 | 2 | 4): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (this.configSpace[offset + i] ?? 0);
    return value;
  }

  configWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < width; i++) this.configSpace[offset + i] = Math.floor(value / 256 ** i);
  }

  barAddress(index: number): number | undefined {
    return this.addresses.get(index);
  }

  setMsixMessage(vector: number, _address: bigint, data: number): void {
    this.messages.set(vector, data);
  }

  reset(): void {}

  exchange(): void {}
}
