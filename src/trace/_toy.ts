import { KIND, MachineEvent, type EventName, type Tap } from '../emu/core/tap.ts';
import { Digest } from '../emu/core/digest.ts';
import { Rng } from '../emu/core/rng.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import type { MachineConfig } from '../emu/machine/config.ts';
import type { CaseRunner, PreparedCase, WatchedMachine } from './case-runner.ts';
import { makeHeader, type Origin } from './format.ts';
import type { FedMachine } from './replayer.ts';

export const CONFIG: MachineConfig = {
  machine: 'pseries-7.2',
  ramBytes: 1 << 20,
  cpus: 1,
  seed: 'toy',
  devices: ['virtio-net-pci,netdev=n0,disable-legacy=on'],
  globals: ['virtio-pci.disable-legacy=on'],
  backends: [
    { kind: 'net', id: 'n0', loopback: true },
    { kind: 'disk', id: 'd0', sectors: 2 ** 33, content: 'tagged', readOnly: false },
    { kind: 'entropy', id: 'r0' },
  ],
};

const H_PUT_TCE = 0x20n;
const PAGE = 4096;
const DEVICE = 8;

/**
 * The smallest machine that has everything a recording is about: TCEs, a register that a device acts on later, DMA
 * both ways, a hypercall that reads memory, choices, host input. `fault` makes it behave otherwise once.
 */
export class ToyMachine implements FedMachine {
  readonly #ram = new Uint8Array(CONFIG.ramBytes);
  readonly #tces = new Map<number, number>();
  readonly #event: MachineEvent = new MachineEvent();
  readonly #pending: number[] = [];
  #tap: Tap | undefined;
  #choose: ((count: number) => number) | undefined;
  #now = 0;
  #register = 0;
  #reads = 0;
  readonly #fault: number;
  readonly platform: GuestPlatform;

  constructor(fault = -1) {
    this.#fault = fault;
    const bytes = this.#ram;
    const registers = new BigUint64Array(10);
    const view = new DataView(bytes.buffer);
    this.platform = {
      ramBytes: bytes.length,
      deviceTree: new Uint8Array(0),
      timebase: 0,
      registers,
      load8: (address) => view.getUint8(address),
      load16: (address, order) => view.getUint16(address, order),
      load32: (address, order) => view.getUint32(address, order),
      load64: (address, order) => view.getBigUint64(address, order),
      loadBytes: (address, into, at, length) => into.set(bytes.subarray(address, address + length), at),
      store8: (address, value) => this.#store(address, Uint8Array.of(value)),
      store16: () => undefined,
      store32: () => undefined,
      store64: () => undefined,
      storeBytes: (address, from, at, length) => this.#store(address, from.subarray(at, at + length)),
      hcall: () => this.#hcall(registers),
      ucall: () => undefined,
      read: (address) => this.#read(address),
      write: (address, _width, value) => this.#write(address, value),
      read64: () => 0n,
      write64: () => undefined,
      setCpu: (cpu, msr) => this.#send('cpu-mode', [BigInt(cpu), msr]),
      interruptPending: () => false,
      advance: (ticks) => this.#advance(ticks),
      idle: () => this.#idle(),
    };
  }

  setTap(tap: Tap | undefined): void {
    this.#tap = tap;
  }

  digest(): string {
    const digest = new Digest();
    digest.bytes(this.#ram);
    digest.word(this.#register);
    digest.word(this.#now);
    return digest.hex();
  }

  hostInput(port: number, bytes: Uint8Array): void {
    this.#send('host-input', [BigInt(port)], bytes);
    this.#register = bytes.length;
  }

  reset(): void {
    this.#send('machine-reset', []);
    this.#register = 0;
  }

  chooseWith(choose: ((count: number) => number) | undefined): void {
    this.#choose = choose;
  }

  cpuAddressOfPort(port: bigint): bigint {
    return port;
  }

  busToRam(_requester: number, high: number, low: number): number | undefined {
    const address = high * 2 ** 32 + low;
    const tce = this.#tces.get(Math.floor(address / PAGE));
    return tce === undefined ? undefined : tce + (address % PAGE);
  }

  #store(address: number, bytes: Uint8Array): void {
    this.#ram.set(bytes, address);
    if (this.#tap?.wantsGuestWrites === true) this.#send('guest-write', [BigInt(address)], bytes);
  }

  #hcall(registers: BigUint64Array): void {
    this.#send('hcall', [...registers]);
    const [token = 0n, liobn = 0n, address = 0n, value = 0n] = registers;
    registers[0] = 0n;
    if (token === H_PUT_TCE) this.#tces.set(Number(address) / PAGE, Number(value & ~0xfffn));
    else if (token === 0x58n) {
      const at = Number(liobn);
      this.#send('hypervisor-read', [liobn], this.#ram.slice(at, at + 16));
      registers[1] = BigInt(this.#ram[at] ?? 0);
    } else registers[0] = -2n;
    this.#send('hcall-return', [...registers]);
  }

  #read(address: number): number {
    this.#send('mmio-read', [BigInt(address), 4n, 0n]);
    this.#reads++;
    const value = this.#register + (this.#reads === this.#fault ? 1 : 0);
    this.#send('read-value', [BigInt(value)]);
    return value;
  }

  #write(address: number, value: number): void {
    this.#send('mmio-write', [BigInt(address), 4n, 0n, BigInt(value)]);
    this.#pending.push(value);
  }

  #advance(ticks: number): void {
    this.#send('advance', [BigInt(ticks)]);
    this.#now += ticks;
    this.#serve();
  }

  #idle(): void {
    this.#send('idle', []);
    this.#serve();
  }

  #serve(): void {
    while (this.#pending.length > 0) {
      const count = this.#pending.length;
      let picked = 0;
      if (count > 1) {
        picked = this.#choose?.(count) ?? 0;
        this.#send('choice', [BigInt(count), BigInt(picked)]);
      }
      const [address = 0] = this.#pending.splice(picked, 1);
      this.#copy(address);
    }
  }

  /** Reads 16 bytes at an I/O address, writes their complement 64 bytes on, reads that again. */
  #copy(address: number): void {
    const from = this.busToRam(DEVICE, 0, address);
    if (from === undefined) {
      this.#send('dma-fault', [BigInt(DEVICE), BigInt(address), 16n, 0n]);
      return;
    }
    const bytes = this.#ram.slice(from, from + 16);
    this.#send('dma-read', [BigInt(DEVICE), BigInt(address)], bytes);
    this.#ram.set(
      bytes.map((byte) => byte ^ 0xff),
      from + 64,
    );
    this.#send('dma-write', [BigInt(DEVICE), BigInt(address + 64)], this.#ram.slice(from + 64, from + 80));
    this.#send('dma-read', [BigInt(DEVICE), BigInt(address + 64)], this.#ram.slice(from + 64, from + 80));
    this.#register++;
    this.#send('interrupt', [0x1200n, 2n]);
  }

  #send(name: EventName, fields: readonly bigint[], bytes?: Uint8Array): void {
    if (this.#tap === undefined) return;
    const event = this.#event;
    event.kind = KIND[name];
    event.at = this.#now;
    event.fields.set(fields);
    if (bytes === undefined) event.noBytes();
    else event.carry(bytes, 0, bytes.length);
    this.#tap.take(event);
  }
}

/** A guest by its seed: maps pages, stores, rings, waits, looks. */
function runToyGuest(machine: ToyMachine, seed: string, actions: number): void {
  const chance = new Rng(seed);
  const { platform } = machine;
  for (let i = 0; i < 8; i++) {
    platform.registers.set([H_PUT_TCE, 0x80000000n, BigInt(i * PAGE), BigInt(0x10003 + i * PAGE)]);
    platform.hcall();
  }
  for (let i = 0; i < actions; i++) {
    const place = chance.below(30);
    const page = chance.below(8);
    const offset = page * PAGE + place * 128;
    const bytes = new Uint8Array(16);
    for (let b = 0; b < 16; b++) bytes[b] = chance.below(256);
    platform.storeBytes(0x10000 + offset, bytes, 0, 16);
    platform.write(0x200080000000, 4, chance.below(10) === 0 ? 0x900000 : offset, false);
    if (chance.below(3) === 0) platform.write(0x200080000000, 4, offset, false);
    if (chance.below(4) === 0) {
      platform.registers.set([0x58n, BigInt(0x10000 + offset), 3n, 4n]);
      platform.hcall();
    }
    if (chance.below(2) === 0) platform.advance(chance.below(1000));
    else platform.idle();
    platform.read(0x200080000000, 4, false);
    if (chance.below(20) === 0) machine.hostInput(0, bytes);
  }
}

/** `toy:SEED:ACTIONS` cases; `fault` is the machine's when it runs again. */
export function toyRunner(fault = -1): CaseRunner {
  const prepare = (origin: Origin, broken: number, guestWrites: boolean): PreparedCase => ({
    header: makeHeader(CONFIG, origin, guestWrites),
    run: (watch: (machine: WatchedMachine) => void) => {
      const machine = new ToyMachine(broken);
      let asked = 0;
      machine.chooseWith((count) => asked++ % count);
      watch(machine);
      runToyGuest(machine, origin.seed, Number(origin.name));
    },
  });
  return {
    find: (request) => {
      const [kind, seed, actions] = request.name.split(':');
      if (kind !== 'toy' || seed === undefined || actions === undefined)
        throw new Error(`there is no case ${request.name}`);
      const origin = { kind: 'toy', name: actions, seed, program: new Uint8Array([1, 2, 3]) };
      return prepare(origin, -1, request.guest === 'stores');
    },
    again: (origin, header) =>
      origin.kind === 'toy' ? prepare(origin, fault, header.guestWrites) : undefined,
  };
}
